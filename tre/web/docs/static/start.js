// Shows the operations of this server, for a token that this page alone holds and forgets when it is left.
"use strict";

// Trusted Types: of HTML that a script wants to place, text and bare tags of text are let in, and nothing else;
// no `createScript` and no `createScriptURL`, so neither ever is.
const harmless = /^(?:[^<>]|<\/?(?:p|br|code|pre|b|i|em|strong|ul|ol|li)>)*$/;
if (window.trustedTypes) {
  trustedTypes.createPolicy("default", { createHTML: (text) => (harmless.test(text) ? text : null) });
}

SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  domNode: document.getElementById("operations"),
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
