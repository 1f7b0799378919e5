"""The path of a request, readable top to bottom:

identity      who asks                                   (the face hands in an `Asker`)
governance    person, project, policy, version           `standing.standing`
decide        bind, plan, five gates, price              `asking.check`
ledger        reserve  ┐ one transaction                 `asking.submit`
journal       intent   ┘ indexed before any read
engine        exact partials                             `running.run`
privacy       partials → release
ledger        commit   ┐ one transaction, not before
journal       outcome  ┘ the release time; indexed
face          the answer, with its receipt               `broker.Broker.find`
"""

from tre.broker.asking import Taken
from tre.broker.broker import Broker, Shown
from tre.broker.parts import Parts
from tre.broker.refining import Offer
from tre.broker.standing import Asker, Standing

__all__ = ["Asker", "Broker", "Offer", "Parts", "Shown", "Standing", "Taken"]
