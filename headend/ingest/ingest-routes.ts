import type Router from '@koa/router';
import type {Context} from 'koa';
import type {Clock} from '#appliance/time/clock.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import {livePathPrefix, parseCataloguePath} from '#headend/catalogue/catalogue-path.ts';
import {requestBody} from '#headend/catalogue/request-body.ts';
import {storeObject} from '#headend/catalogue/store-object.ts';
import type {Uploads} from '#headend/catalogue/uploads.ts';
import type {ChannelRegistry} from '#headend/ingest/channel-registry.ts';
import type {IngestConfig} from '#headend/ingest/ingest-config-schema.ts';
import {termsOfLive} from '#headend/ingest/live-terms.ts';

const mountPoint = '/ingest/';
const fileRoute = /^\/ingest\/[^/]+\/.+/u;

/**
 * Live push after the DASH-IF ingest specification's interface 2 (DASH and HLS by HTTP), as ffmpeg and other encoders
 * send it: each file a PUT or POST of its own, of known length or chunked, over a connection that stays; DELETE for what
 * left the encoder's window.
 */
export const mountIngest = (
	router: Router,
	options: {
		readonly catalogue: Catalogue;
		readonly uploads: Uploads;
		readonly channels: ChannelRegistry;
		readonly clock: Clock;
		readonly config: IngestConfig;
		readonly objectBaseUri: string;
	},
): void => {
	const {catalogue, uploads, channels, clock, config, objectBaseUri} = options;
	const whereOf = (context: Context) => {
		const below = context.path.slice(mountPoint.length);
		const where = parseCataloguePath(`${livePathPrefix}${below}`, objectBaseUri);
		return {where, channel: below.split('/')[0] ?? ''};
	};
	const take = async (context: Context): Promise<void> => {
		const {where, channel} = whereOf(context);
		channels.admit(channel, where.path);
		const length = context.get('Content-Length');
		const upload = await uploads.receive({
			path: where.path,
			body: requestBody(context.req),
			maxBytes: config.objectBytesMax,
			startBytes: 0,
			...(length === '' ? {} : {endBytes: Number(length)}),
		});
		if (upload.kind === 'partial') {
			throw new TypeError('a live object of unknown total cannot be partial');
		}
		const contentType = context.get('Content-Type');
		const {kind, entry} = await storeObject(catalogue, where, upload, {
			origin: 'live',
			priority: 'live',
			service: channel,
			contentType: contentType === '' ? undefined : contentType.slice(0, 200),
			termsOf: (form) => termsOfLive(form, {nowMs: clock.nowMs(), config}),
		});
		channels.note(channel, entry);
		context.status = kind === 'created' ? 201 : 200;
		context.body = '';
	};
	router.put(fileRoute, take);
	router.post(fileRoute, take);
	router.delete(fileRoute, (context) => {
		const {where} = whereOf(context);
		catalogue.remove(where.path);
		// Encoders delete what they are not sure to have sent; there is nothing to tell them.
		context.status = 204;
	});
};
