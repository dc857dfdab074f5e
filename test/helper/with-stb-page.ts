import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Middleware} from 'koa';
import {
	type StbStatus,
	type StbTitles,
	stbStatusSchema,
	stbTitlesSchema,
} from '#appliance/contract/stb-status-schema.ts';
import {pageAssets} from '#appliance/http/page-assets.ts';
import {sendFile} from '#appliance/http/send-file.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

const pageDirectory = new URL('../../stb/page/', import.meta.url).pathname;
const eventIntervalMs = 250;

/** A box in the middle of an evening; tests change what they are about. */
export const sampleStatus = (): StbStatus => ({
	version: 1,
	box: 'stb-1',
	nowMs: Date.now(),
	tuned: {announced: true, sessions: [{group: '239.255.1.1', port: 5001, tsi: 1}]},
	receive: {
		packets: 812_334,
		bytes: 1_120_000_000,
		rateBps: 18_400_000,
		kernelDrops: 0,
		malformedPackets: 0,
		fecRecoveredBytes: 2_400_000,
	},
	objects: {received: 418, repaired: 12, failed: 0, arriving: []},
	repair: {requests: 14, bytes: 3_100_000, failures: 0, latencyMs: {p50: 12, p99: 40}},
	cache: {
		objects: 430,
		bytes: 3_400_000_000,
		budgetBytes: 10_000_000_000,
		hits: 96,
		misses: 4,
		hitRatio: 0.96,
		evictions: 7,
	},
	terrestrial: {requests: 4, bytes: 8_000_000, failures: 0},
});

export type StbPageServer = {
	readonly url: string;
	/** What the box answers from now on. */
	status: StbStatus;
	titles: StbTitles['titles'];
	/** Answers media requests before the files do, when a test wants them to go wrong. */
	media: Middleware | undefined;
	/** Ends every event stream and answers no more of them, as a dying box does. */
	events: boolean;
};

/** The subscriber's page over a box that is played by a small server: real page, real status, files of a directory. */
export const withStbPage = async (
	t: ExecutionContext,
	options: {readonly mediaDirectory?: string} = {},
): Promise<StbPageServer> => {
	const state: Omit<StbPageServer, 'url'> = {status: sampleStatus(), titles: [], media: undefined, events: true};
	const box: Middleware = async (context, next) => {
		if (context.path === '/box/status') {
			context.body = stbStatusSchema.parse(state.status);
		} else if (context.path === '/box/titles') {
			context.body = stbTitlesSchema.parse({titles: state.titles});
		} else if (context.path === '/box/events' && state.events) {
			context.respond = false;
			context.res.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
			const timer = setInterval(() => {
				if (state.events) {
					context.res.write(`data: ${JSON.stringify(state.status)}\n\n`);
				} else {
					context.res.end();
				}
			}, eventIntervalMs);
			context.res.on('close', () => clearInterval(timer));
		} else {
			await next();
		}
	};
	const media: Middleware = (context, next) => (state.media === undefined ? next() : state.media(context, next));
	const files: Middleware = async (context) => {
		if (options.mediaDirectory !== undefined && /^\/streamverse\/[\w./-]+$/u.test(context.path)) {
			const source = join(options.mediaDirectory, context.path.slice('/streamverse/'.length));
			const {size} = await stat(source).catch(() => ({size: -1}));
			if (size >= 0) {
				await sendFile(context, {source, sizeBytes: size});
			}
		}
	};
	const page = pageAssets({directory: pageDirectory, prefix: '/box/assets/'});
	return Object.assign(state, {url: await withHttpApp(t, page, box, media, files)});
};
