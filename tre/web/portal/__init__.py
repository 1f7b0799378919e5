"""The portal: plain pages for researchers, boards and data controllers, over the services that REST calls too."""

from tre.web.portal.portal import Portal, add_portal
from tre.web.portal.rendering import Brand
from tre.web.portal.site import Known, Visits

__all__ = ["Brand", "Known", "Portal", "Visits", "add_portal"]
