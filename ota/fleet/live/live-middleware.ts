import type {Middleware} from 'koa';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import type {Changes} from '#ota/fleet/fleet-part.ts';
import {liveStream} from '#ota/fleet/live/live-stream.ts';

const livePath = '/live';
/** Pages that follow one server; each holds a connection. */
const followersMax = 2000;

/** `GET /live`: server-sent events for whoever is signed in. */
export const createLiveMiddleware = (options: {
	readonly changes: Changes;
	readonly authenticate: Authenticate;
	readonly signal: AbortSignal;
}): Middleware => {
	let followers = 0;
	return async (context, next) => {
		if (context.path !== livePath || context.method !== 'GET') {
			await next();
			return;
		}
		const identity = await options.authenticate(context.req.headers);
		if (identity === undefined || identity.mustChangePassword) {
			context.status = 401;
			return;
		}
		if (followers >= followersMax) {
			context.status = 503;
			return;
		}
		followers += 1;
		const left = new AbortController();
		context.res.once('close', () => {
			followers -= 1;
			left.abort();
		});
		context.set({'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no'});
		context.type = 'text/event-stream';
		context.body = liveStream(options.changes, {signal: AbortSignal.any([options.signal, left.signal])});
	};
};
