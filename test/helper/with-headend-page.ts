import type {ExecutionContext} from 'ava';
import type {Middleware} from 'koa';
import {type CatalogueObject, cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {type HeadendStatus, headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {pageAssets} from '#appliance/http/page-assets.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {linkStatusOf} from '#headend/status/link-status.ts';
import {Transmission} from '#headend/uplink/transmission.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

const pageDirectory = new URL('../../headend/page/', import.meta.url).pathname;
const eventIntervalMs = 250;

/** A headend in the middle of a round. */
export const sampleHeadendStatus = (): HeadendStatus => ({
	version: 1,
	box: 'headend-1',
	nowMs: Date.now(),
	uplink: {
		group: '239.255.1.1',
		port: 5001,
		rateBps: 40_000_000,
		sentBps: 38_900_000,
		sentBytes: 91_200_000_000,
		sentPackets: 66_800_000,
		rateErrorRatio: 0.000_12,
	},
	link: linkStatusOf(new Transmission(headendConfigSchema.parse({})), {signallingBps: 180_000}),
	carousel: {
		cycleMs: 3_600_000,
		position: 0.37,
		cycles: 12,
		objectsSent: 402,
		objects: 1214,
		bytes: 13_400_000_000,
		load: [
			{priority: 'high', share: 0.5, usedRatio: 0.34},
			{priority: 'medium', share: 0.3, usedRatio: 0.41},
			{priority: 'low', share: 0.2, usedRatio: 0.08},
		],
		doesNotFit: [],
	},
	onAir: [
		{path: 'vod/the-long-way-up/seg-0-044.m4s', priority: 'high', toi: 1044, sizeBytes: 3_900_000, sentRatio: 0.62},
		{path: 'live/news/seg-883.m4s', priority: 'live', toi: 883, sizeBytes: 812_000, sentRatio: 0.9},
	],
	next: [],
	live: [{channel: 'news', lastSegmentMs: Date.now() - 1200, segments: 883, bitrateBps: 3_200_000}],
});

export type HeadendPageServer = {
	readonly url: string;
	status: HeadendStatus;
	catalogue: readonly CatalogueObject[];
};

/** The operator's page over a headend that is played by a small server. */
export const withHeadendPage = async (t: ExecutionContext): Promise<HeadendPageServer> => {
	const state: Omit<HeadendPageServer, 'url'> = {status: sampleHeadendStatus(), catalogue: []};
	const headend: Middleware = (context) => {
		if (context.path === '/status') {
			context.body = headendStatusSchema.parse(state.status);
		} else if (context.path === '/catalogue') {
			const limit = Number(context.query['limit']);
			const after = String(context.query['after'] ?? '');
			const rest = state.catalogue.filter(({path}) => path > after);
			const next = rest.length > limit ? rest[limit - 1]?.path : undefined;
			context.body = cataloguePageSchema.parse({revision: 1, objects: rest.slice(0, limit), ...(next && {next})});
		} else if (context.path === '/events') {
			context.respond = false;
			context.res.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
			const timer = setInterval(() => context.res.write(`data: ${JSON.stringify(state.status)}\n\n`), eventIntervalMs);
			context.res.on('close', () => clearInterval(timer));
		}
	};
	const page = pageAssets({directory: pageDirectory, prefix: '/assets/'});
	return Object.assign(state, {url: await withHttpApp(t, page, headend)});
};
