import type Koa from 'koa';
import type {Context, Middleware} from 'koa';
import {entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {objectUriOfPath, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {openToEveryOrigin} from '#appliance/http/cors.ts';
import {createApp} from '#appliance/http/create-app.ts';
import {sendFile} from '#appliance/http/send-file.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {AccessLog} from '#pop-node/repair/access-log.ts';
import type {FindObject} from '#pop-node/repair/find-object.ts';
import type {RepairMetrics} from '#pop-node/repair/metrics.ts';
import {renderPage} from '#pop-node/repair/page.ts';
import type {PassThrough} from '#pop-node/repair/pass-through.ts';
import type {RateLimit} from '#pop-node/repair/rate-limit.ts';
import type {PopNodeStatus} from '#pop-node/repair/status.ts';

const loggedCharactersMax = 300;
const secondsPerDay = 86_400;
const statusClientLeft = 499;

export type RepairAppOptions = {
	/** Path of the operator's base URI, with both slashes. */
	readonly basePath: string;
	readonly findObject: FindObject;
	readonly passThrough: PassThrough;
	readonly rateLimit: RateLimit;
	readonly accessLog: AccessLog;
	readonly metrics: RepairMetrics;
	readonly readStatus: () => PopNodeStatus;
	readonly logger: Logger;
};

/** Everything that a pop-node answers over HTTP. */
export const createRepairApp = (options: RepairAppOptions): Koa => {
	const {basePath, logger} = options;
	const app = createApp({logger});
	// In front of the application's own error answer, so that refusals are counted and logged as they were sent.
	app.middleware.unshift(observe(options));
	app.use(operatorPages(options));
	const open = openToEveryOrigin();
	const limit = limitRate(options);
	const send = sendObject(options);
	app.use(async (context, next) => {
		if (!context.path.startsWith(basePath)) {
			throw new CodedError('HTTP_NOT_FOUND', {message: `Objects are served below ${basePath}.`});
		}
		await open(context, () => limit(context, () => send(context, next)));
	});
	return app;
};

const operatorPages = ({readStatus, metrics}: RepairAppOptions): Middleware => {
	const pages: Readonly<Record<string, (context: Context) => Promise<void> | void>> = {
		'/': (context) => {
			context.type = 'text/html; charset=utf-8';
			context.body = renderPage(readStatus());
		},
		'/status': (context) => {
			context.body = readStatus();
		},
		'/health': (context) => {
			context.body = {status: 'ok'};
		},
		'/metrics': async (context) => {
			context.type = metrics.registry.contentType;
			context.body = await metrics.registry.metrics();
		},
	};
	return async (context, next) => {
		const page = Object.hasOwn(pages, context.path) ? pages[context.path] : undefined;
		if (page === undefined) {
			return next();
		}
		if (context.method !== 'GET' && context.method !== 'HEAD') {
			context.set('Allow', 'GET, HEAD');
			throw new CodedError('HTTP_METHOD_NOT_ALLOWED', {message: 'This can only be read.', details: {status: 405}});
		}
		context.set('Cache-Control', 'no-store');
		await page(context);
	};
};

const sendObject =
	({basePath, findObject, passThrough}: RepairAppOptions): Middleware =>
	async (context) => {
		const uri = objectUriOfPath(context.path);
		const path = pathOfObjectUri(uri).slice(basePath.length);
		if (path === '' || path.endsWith('/')) {
			throw new CodedError('HTTP_NOT_FOUND', {message: 'That is a folder; objects are named in full.'});
		}
		if (context.method !== 'GET' && context.method !== 'HEAD') {
			context.set('Allow', 'GET, HEAD, OPTIONS');
			throw new CodedError('HTTP_METHOD_NOT_ALLOWED', {message: 'Objects can only be read.', details: {status: 405}});
		}
		const found = await findObject({
			uri,
			path,
			wantedTags: `${context.get('If-Range')} ${context.get('If-Match')}`,
		});
		const {entry, origin} = found;
		const extraHeaders = {'Cache-Control': cacheControlOf(entry, Date.now()), 'Streamverse-Source': origin};
		if (found.origin === 'passed') {
			sendRepresentation(context, {
				sizeBytes: entry.sizeBytes,
				entityTag: entityTagOf(entry.sha256),
				contentType: entry.contentType,
				extraHeaders,
				body: (parts) => passThrough.body(entry, parts),
			});
			return;
		}
		await sendFile(context, {
			source: found.handle,
			sizeBytes: entry.stored?.sizeBytes ?? entry.sizeBytes,
			sha256: entry.stored?.sha256 ?? entry.sha256,
			contentType: entry.contentType,
			extraHeaders,
		});
	};

const cacheControlOf = (
	{freshUntilMs, expiresMs}: {readonly freshUntilMs?: number | undefined; readonly expiresMs?: number | undefined},
	nowMs: number,
): string => {
	const untilMs = freshUntilMs ?? expiresMs ?? nowMs + secondsPerDay * 1000;
	return `public, max-age=${Math.min(secondsPerDay, Math.max(0, Math.floor((untilMs - nowMs) / 1000)))}`;
};

const limitRate =
	({rateLimit, metrics}: RepairAppOptions): Middleware =>
	async (context, next) => {
		const waitMs = rateLimit.take(context.req.socket.remoteAddress ?? '');
		if (waitMs > 0) {
			metrics.limited();
			context.set('Retry-After', String(Math.ceil(waitMs / 1000)));
			throw new CodedError('HTTP_TOO_MANY_REQUESTS', {
				message: 'This client asks more often than pop-node.repair.requestsPerSecond allows.',
				details: {waitMs},
				retryable: true,
			});
		}
		await next();
	};

/** Counts and logs every answer for an object once its last byte has left or its client has. */
const observe =
	({basePath, accessLog, metrics}: RepairAppOptions): Middleware =>
	async (context, next) => {
		const startedMs = performance.now();
		if (context.path.startsWith(basePath)) {
			const bytesBefore = context.req.socket.bytesWritten;
			context.res.once('close', () => {
				const durationMs = Math.round((performance.now() - startedMs) * 10) / 10;
				const bytes = Math.max(0, context.req.socket.bytesWritten - bytesBefore);
				// 499 after nginx: the client left before there was an answer.
				const status = context.res.headersSent ? context.res.statusCode : statusClientLeft;
				metrics.answered({status, bytes, seconds: durationMs / 1000});
				const range = context.get('Range').slice(0, loggedCharactersMax);
				const agent = context.get('User-Agent').slice(0, loggedCharactersMax);
				accessLog.write({
					time: new Date().toISOString(),
					client: context.req.socket.remoteAddress ?? '',
					method: context.method,
					path: context.path.slice(0, loggedCharactersMax * 4),
					status,
					bytes,
					durationMs,
					...(range === '' ? {} : {range}),
					...(agent === '' ? {} : {agent}),
				});
			});
		}
		await next();
	};
