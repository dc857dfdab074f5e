import type {Logger} from '#appliance/log/logger.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import type {Uploads} from '#headend/catalogue/uploads.ts';
import type {ChannelRegistry} from '#headend/ingest/channel-registry.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';

const sweepIntervalMs = 1000;
const uploadsIntervalSweeps = 60;

/** Takes away what time has ended: expired objects, channels that stopped, uploads that nobody went on with. */
export const startSweeper = (options: {
	readonly catalogue: Catalogue;
	readonly uploads: Uploads;
	readonly channels: ChannelRegistry;
	readonly logger: Logger;
}): AsyncDisposable => {
	const {catalogue, uploads, channels, logger} = options;
	const stop = new AbortController();
	const subscription = catalogue.onChange((change, entry) => {
		if (change.kind === 'delete' && entry.origin === 'live') {
			channels.forget(entry.path);
		}
	});
	let sweeps = 0;
	const loop = runLoop({
		name: 'sweep',
		wake: new Wake(),
		intervalMs: sweepIntervalMs,
		signal: stop.signal,
		logger,
		step: async () => {
			channels.expire();
			catalogue.expire();
			sweeps += 1;
			if (sweeps % uploadsIntervalSweeps === 0) {
				await uploads.expire();
			}
		},
	});
	return {
		[Symbol.asyncDispose]: async () => {
			subscription[Symbol.dispose]();
			stop.abort();
			await loop;
		},
	};
};
