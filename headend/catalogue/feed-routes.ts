import {PassThrough} from 'node:stream';
import type Router from '@koa/router';
import type {CatalogueChange} from '#appliance/contract/catalogue-schema.ts';
import {type Catalogue, revisionOf} from '#headend/catalogue/catalogue.ts';
import {headendError} from '#headend/error-code.ts';

const listenersMax = 100;
const keepAliveIntervalMs = 15_000;
/** A reader that is so far behind is cut off; it comes back with the last revision that it saw. */
const backlogBytesMax = 32 * 2 ** 20;

/** GET /catalogue/feed?since=<revision>: what changed since, then every change as it happens (server-sent events). */
export const mountCatalogueFeed = (
	router: Router,
	options: {readonly catalogue: Catalogue; readonly signal: AbortSignal},
): void => {
	let listeners = 0;
	router.get('/catalogue/feed', (context) => {
		if (listeners >= listenersMax) {
			throw headendError('HEADEND_FEED_FULL', {status: 503, message: 'Too many feeds are open.', retryable: true});
		}
		const since = Number(context.query['since'] ?? context.get('Last-Event-ID') ?? 0);
		const changes = options.catalogue.changesSince(Number.isSafeInteger(since) && since > 0 ? since : 0);
		const stream = new PassThrough({highWaterMark: backlogBytesMax});
		const tell = (change: CatalogueChange): void => {
			stream.write(`id: ${revisionOf(change)}\ndata: ${JSON.stringify(change)}\n\n`);
			if (stream.writableLength > backlogBytesMax) {
				stream.destroy();
			}
		};
		listeners += 1;
		const subscription = options.catalogue.onChange(tell);
		const keepAlive = setInterval(() => stream.write(':\n\n'), keepAliveIntervalMs);
		const end = (): void => void stream.end();
		options.signal.addEventListener('abort', end, {once: true});
		stream.once('close', () => {
			listeners -= 1;
			clearInterval(keepAlive);
			options.signal.removeEventListener('abort', end);
			subscription[Symbol.dispose]();
		});
		context.res.once('close', () => stream.destroy());
		stream.write(`retry: 1000\n: revision ${options.catalogue.revision}\n\n`);
		for (const change of changes) {
			tell(change);
		}
		context.set('Cache-Control', 'no-store');
		context.body = stream;
		context.set('Content-Type', 'text/event-stream');
	});
};
