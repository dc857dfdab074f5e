import type Router from '@koa/router';
import {z} from 'zod';
import type {CachedObjectRow, StbStatus, StbTitles} from '#appliance/contract/stb-status-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StatusEvents} from '#stb/status/status-events.ts';

const pageLimitMax = 1000;
const cacheQuerySchema = z.object({
	after: z.string().max(1024).optional(),
	limit: z.coerce.number().int().min(1).max(pageLimitMax).default(100),
});

export type StatusRoutes = {
	readonly readStatus: () => StbStatus;
	readonly readTitles: () => StbTitles;
	readonly events: StatusEvents;
	readonly cache: Pick<ObjectCache, 'list'>;
	readonly metrics: {readonly contentType: string; readonly metrics: () => Promise<string>};
	/** A signalling document by its URI, as it came. */
	readonly document: (uri: string) => {readonly contentType: string; readonly bytes: Buffer} | undefined;
};

/** The box's own API below /box/. */
export const mountStatusRoutes = (router: Router, routes: StatusRoutes): void => {
	router.get('/box/status', (context) => {
		context.body = routes.readStatus();
	});
	router.get('/box/titles', (context) => {
		context.body = routes.readTitles();
	});
	router.get('/box/events', (context) => {
		const stream = routes.events.watch();
		if (stream === undefined) {
			throw new CodedError('HTTP_UNAVAILABLE', {message: 'Too many pages watch this box; close one of them.'});
		}
		context.type = 'text/event-stream';
		context.set('cache-control', 'no-store');
		context.set('x-accel-buffering', 'no');
		context.body = stream;
	});
	router.get('/box/cache', (context) => {
		const query = cacheQuerySchema.safeParse(context.query);
		if (!query.success) {
			throw new CodedError('HTTP_BAD_REQUEST', {message: z.prettifyError(query.error)});
		}
		const {after, limit} = query.data;
		const objects = routes.cache.list({limit, ...(after === undefined ? {} : {after})}).map(rowOf);
		const last = objects.at(-1);
		context.body = {objects, ...(objects.length === limit && last !== undefined ? {next: last.uri} : {})};
	});
	router.get('/box/signalling', (context) => {
		const uri = typeof context.query['uri'] === 'string' ? context.query['uri'] : '';
		const document = routes.document(uri);
		if (document === undefined) {
			throw new CodedError('HTTP_NOT_FOUND', {message: 'This signalling has not been received.'});
		}
		context.type = document.contentType;
		context.body = document.bytes;
	});
	router.get('/box/metrics', async (context) => {
		context.type = routes.metrics.contentType;
		context.body = await routes.metrics.metrics();
	});
};

const rowOf = (object: ReturnType<ObjectCache['list']>[number]): CachedObjectRow => {
	const {uri, sizeBytes, contentType, priority, sha256, source, pinned, storedMs, lastUsedMs} = object;
	const {expiresMs, freshUntilMs} = object;
	return {
		...{uri, sizeBytes, contentType, priority, sha256, source, pinned, storedMs, lastUsedMs},
		...(expiresMs === undefined ? {} : {expiresMs}),
		...(freshUntilMs === undefined ? {} : {freshUntilMs}),
	};
};
