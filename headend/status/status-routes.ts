import {PassThrough} from 'node:stream';
import type Router from '@koa/router';
import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import type {SignallingList} from '#appliance/contract/signalling-list-schema.ts';
import type {Title, TitleList} from '#appliance/contract/title-schema.ts';
import {headendError} from '#headend/error-code.ts';

const eventIntervalMs = 1000;
const listenersMax = 100;

/** GET /status, /events (the same, once a second), /titles and /signalling. */
export const mountStatus = (
	router: Router,
	options: {
		readonly status: () => HeadendStatus;
		readonly titles: () => readonly Title[];
		readonly signalling: () => readonly SignallingList['objects'][number][];
		readonly signal: AbortSignal;
	},
): void => {
	const listeners = new Set<PassThrough>();
	let ticker: NodeJS.Timeout | undefined;
	const tick = (): void => {
		const line = `data: ${JSON.stringify(options.status())}\n\n`;
		for (const stream of listeners) {
			// A reader that is behind skips; what it gets next is whole anyway.
			if (!stream.writableNeedDrain) {
				stream.write(line);
			}
		}
	};
	const leave = (stream: PassThrough): void => {
		listeners.delete(stream);
		if (listeners.size === 0) {
			clearInterval(ticker);
			ticker = undefined;
		}
	};
	options.signal.addEventListener(
		'abort',
		() => {
			for (const stream of listeners) {
				stream.end();
			}
		},
		{once: true},
	);
	router.get('/status', (context) => {
		context.set('Cache-Control', 'no-store');
		context.body = options.status();
	});
	router.get('/titles', (context) => {
		context.body = {version: 1, titles: [...options.titles()]} satisfies TitleList;
	});
	router.get('/signalling', (context) => {
		context.set('Cache-Control', 'no-store');
		context.body = {version: 1, objects: [...options.signalling()]} satisfies SignallingList;
	});
	router.get('/events', (context) => {
		if (listeners.size >= listenersMax) {
			throw headendError('HEADEND_FEED_FULL', {status: 503, message: 'Too many pages are open.', retryable: true});
		}
		const stream = new PassThrough();
		stream.once('close', () => leave(stream));
		context.res.once('close', () => stream.destroy());
		listeners.add(stream);
		ticker ??= setInterval(tick, eventIntervalMs);
		stream.write(`retry: 1000\ndata: ${JSON.stringify(options.status())}\n\n`);
		context.set('Cache-Control', 'no-store');
		context.body = stream;
		context.set('Content-Type', 'text/event-stream');
	});
};
