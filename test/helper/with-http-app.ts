import type {ExecutionContext} from 'ava';
import type Koa from 'koa';
import {createApp} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import {silentLogger} from '#appliance/log/logger.ts';

/** A Koa application of ours with these middlewares on a free port of loopback; answers its URL. */
export const withHttpApp = async (t: ExecutionContext, ...middlewares: readonly Koa.Middleware[]): Promise<string> => {
	const app = createApp({logger: silentLogger()});
	for (const middleware of middlewares) {
		app.use(middleware);
	}
	const listener = await listen({handler: app.callback(), host: '127.0.0.1', port: 0});
	t.teardown(async () => await listener[Symbol.asyncDispose]());
	return listener.url;
};
