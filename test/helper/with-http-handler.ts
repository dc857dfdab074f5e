import type {RequestListener} from 'node:http';
import type {ExecutionContext} from 'ava';
import {listen} from '#appliance/http/listen.ts';

/** Serves a plain handler on a free loopback port until the test ends; resolves to its URL with a slash at the end. */
export const withHttpHandler = async (t: ExecutionContext, handler: RequestListener): Promise<string> => {
	const listener = await listen({handler, host: '127.0.0.1', port: 0});
	t.teardown(() => listener[Symbol.asyncDispose]());
	return `${listener.url}/`;
};
