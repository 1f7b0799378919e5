// A real OpenID provider on loopback: certified code with its own pages, on which whoever is typed is who one is.
// What it is told comes as JSON on standard input: port, redirect, client, secret, keys, algorithm.
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const said = JSON.parse(await text(process.stdin));
const provider = new Provider(`http://127.0.0.1:${said.port}`, {
  clients: [{
    client_id: said.client,
    client_secret: said.secret,
    redirect_uris: [said.redirect],
    id_token_signed_response_alg: said.algorithm,
  }],
  jwks: { keys: said.keys },
  cookies: { keys: ['tests'] },
  pkce: { required: () => true },
  claims: { openid: ['sub', 'amr'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

// Whoever's name ends with +otp has shown a second factor.
const finished = provider.interactionFinished.bind(provider);
provider.interactionFinished = (request, response, result, options) => {
  if (result.login?.accountId?.endsWith('+otp')) result.login.amr = ['pwd', 'otp'];
  return finished(request, response, result, options);
};

provider.listen(said.port, '127.0.0.1', () => console.log('listening'));
