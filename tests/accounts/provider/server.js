// A real OpenID provider for the tests: one client, anybody may say who they are.
import Provider from "oidc-provider";

const [port, back] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "getihu",
      client_secret: "only-for-tests",
      redirect_uris: [back],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ["only-for-tests"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
