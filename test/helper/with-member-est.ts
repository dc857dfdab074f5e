import {once} from 'node:events';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import type {TestAuthority} from '#test/helper/test-authority.ts';

export type MemberEst = {readonly url: string; readonly enrolled: () => number};

/** The least of EST (RFC 7030) that a box needs to enrol with one token. */
export const withMemberEst = async (
	t: ExecutionContext,
	{authority, token}: {readonly authority: TestAuthority; readonly token: string},
): Promise<MemberEst> => {
	const {certificatePem, keyPem} = await authority.issue('127.0.0.1', {server: true});
	let enrolled = 0;
	const server = createServer({cert: certificatePem, key: keyPem}, async (request, response) => {
		const body = await text(request);
		if (request.url?.endsWith('/cacerts')) {
			response.writeHead(200, {'content-type': 'application/pkcs7-mime'}).end(authority.cacerts());
		} else if (request.url?.endsWith('/simpleenroll') && request.headers.authorization === `Bearer ${token}`) {
			enrolled += 1;
			response.writeHead(200, {'content-type': 'application/pkcs7-mime'}).end(await authority.sign(body));
		} else {
			response.writeHead(401).end();
		}
	});
	server.listen({host: '127.0.0.1', port: 0});
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const {port} = server.address() as AddressInfo;
	return {url: `https://127.0.0.1:${port}`, enrolled: () => enrolled};
};
