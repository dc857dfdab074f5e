import type {Middleware} from 'koa';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import type {Changes} from '#ota/fleet/fleet-part.ts';
import {liveStream} from '#ota/fleet/live/live-stream.ts';

const livePath = '/live';
/** Pages that follow one server; each holds a connection. */
const followersMax = 2000;
/** Of one account: the walls and tabs of a person, and not all places of the server. */
const followersPerAccountMax = 50;
/** A page outlives what admitted it: a session that was ended, an account that was disabled. */
const recheckMs = 15_000;

/** `GET /live`: server-sent events for whoever is signed in. */
export const createLiveMiddleware = (options: {
	readonly changes: Changes;
	readonly authenticate: Authenticate;
	readonly signal: AbortSignal;
	/** Shorter in tests. */
	readonly recheckMs?: number;
}): Middleware => {
	let followers = 0;
	const ofAccount = new Map<string, number>();
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
		const {id} = identity.actor;
		const own = ofAccount.get(id) ?? 0;
		if (own >= followersPerAccountMax) {
			context.status = 429;
			context.set('Retry-After', '60');
			return;
		}
		followers += 1;
		ofAccount.set(id, own + 1);
		const left = new AbortController();
		const recheck = async (): Promise<void> => {
			const now = await options.authenticate(context.req.headers);
			if (now?.actor.id !== id) {
				left.abort();
			}
		};
		// A database that does not answer at the moment takes nobody's page away.
		const timer = setInterval(() => void recheck().catch(() => undefined), options.recheckMs ?? recheckMs);
		context.res.once('close', () => {
			clearInterval(timer);
			followers -= 1;
			const others = (ofAccount.get(id) ?? 1) - 1;
			if (others === 0) {
				ofAccount.delete(id);
			} else {
				ofAccount.set(id, others);
			}
			left.abort();
		});
		context.set({'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no'});
		context.type = 'text/event-stream';
		context.body = liveStream(options.changes, {signal: AbortSignal.any([options.signal, left.signal])});
	};
};
