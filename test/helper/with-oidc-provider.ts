import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import {Provider} from 'oidc-provider';

export type OidcPerson = {
	readonly sub: string;
	readonly preferred_username?: string;
	readonly name?: string;
	readonly groups: readonly string[];
};

export type TestOidcProvider = {
	readonly issuer: string;
	/** Who signs in next. */
	readonly become: (person: OidcPerson) => void;
};

export const oidcClient = {clientId: 'fleet', clientSecret: 'a client secret of the test'} as const;

/** A real OpenID provider, on a free port, that asks nobody anything: whoever `become` named is signed in at once. */
export const withOidcProvider = async (t: ExecutionContext, redirectUri: string): Promise<TestOidcProvider> => {
	let person: OidcPerson = {sub: 'nobody', groups: []};
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const provider = new Provider(issuer, {
		clients: [
			{
				client_id: oidcClient.clientId,
				client_secret: oidcClient.clientSecret,
				redirect_uris: [redirectUri],
				response_types: ['code'],
				grant_types: ['authorization_code'],
			},
		],
		pkce: {required: () => true},
		scopes: ['openid', 'profile', 'groups'],
		claims: {openid: ['sub'], profile: ['name', 'preferred_username'], groups: ['groups']},
		conformIdTokenClaims: false,
		features: {devInteractions: {enabled: false}},
		cookies: {keys: ['a key of the test']},
		ttl: {AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600},
		findAccount: (_context, id) => ({accountId: id, claims: () => ({...person, groups: [...person.groups]})}),
		interactions: {url: (_context, interaction) => `/interaction/${interaction.uid}`},
	});
	const answer = provider.callback();
	server.on('request', (request, response) => {
		if (request.url?.startsWith('/interaction/') !== true) {
			void answer(request, response);
			return;
		}
		void (async () => {
			const {params} = await provider.interactionDetails(request, response);
			const grant = new provider.Grant({accountId: person.sub, clientId: oidcClient.clientId});
			grant.addOIDCScope(String(params['scope']));
			const grantId = await grant.save();
			const result = {login: {accountId: person.sub}, consent: {grantId}};
			await provider.interactionFinished(request, response, result, {mergeWithLastSubmission: false});
		})();
	});
	return {
		issuer,
		become: (next) => {
			person = next;
		},
	};
};
