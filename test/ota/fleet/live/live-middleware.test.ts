import {request} from 'node:http';
import test from 'ava';
import Koa from 'koa';
import {listen} from '#appliance/http/listen.ts';
import type {Identity} from '#ota/fleet/api/identity.ts';
import {createLiveMiddleware} from '#ota/fleet/live/live-middleware.ts';
import {eventually} from '#test/helper/eventually.ts';

test('one account follows so often and no more, and no longer than it is signed in', async (t) => {
	const ended = new AbortController();
	const signedIn = new Set(['one', 'two']);
	const app = new Koa();
	// Who leaves in the middle of an answer is no news.
	app.silent = true;
	app.use(
		createLiveMiddleware({
			changes: {publish: () => undefined, subscribe: () => () => undefined},
			authenticate: ({authorization = ''}) => {
				const identity: Identity = {
					...{kind: 'token', mustChangePassword: false},
					actor: {id: authorization, name: authorization, role: 'viewer'},
				};
				return Promise.resolve(signedIn.has(authorization) ? identity : undefined);
			},
			signal: ended.signal,
			recheckMs: 50,
		}),
	);
	const listener = await listen({handler: app.callback(), host: '127.0.0.1', port: 0});
	t.teardown(async () => {
		ended.abort();
		await listener[Symbol.asyncDispose]();
	});
	let open = 0;
	const follow = async (authorization: string): Promise<number | undefined> => {
		const answered = Promise.withResolvers<number | undefined>();
		const asked = request(`${listener.url}/live`, {headers: {authorization}, agent: false}, (response) => {
			open += 1;
			response.resume().on('close', () => {
				open -= 1;
			});
			answered.resolve(response.statusCode);
		});
		asked.on('error', answered.reject).end();
		return await answered.promise;
	};
	t.is(await follow('nobody'), 401);
	const statuses = await Promise.all(Array.from({length: 60}, () => follow('one')));
	t.is(statuses.filter((status) => status === 200).length, 50);
	t.is(statuses.filter((status) => status === 429).length, 10);
	t.is(await follow('two'), 200);
	signedIn.delete('one');
	await eventually('who is signed out hears no more', () => open === 1);
	signedIn.add('one');
	t.is(await follow('one'), 200, 'its places are free again');
});
