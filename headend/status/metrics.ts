import type Router from '@koa/router';
import {Gauge, Registry} from 'prom-client';
import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';

/** GET /metrics: read from the status at the moment somebody asks, so that nothing is counted twice. */
export const mountMetrics = (
	router: Router,
	options: {readonly status: () => HeadendStatus; readonly catalogueObjects: () => number},
): void => {
	const registry = new Registry();
	const gauge = (name: string, help: string): Gauge =>
		new Gauge({name: `headend_${name}`, help, registers: [registry]});
	const sentBytes = gauge('uplink_sent_bytes', 'IP-layer bytes sent since start.');
	const sentPackets = gauge('uplink_sent_packets', 'Packets sent since start.');
	const sentBps = gauge('uplink_sent_bps', 'IP-layer bits per second, lately.');
	const rateBps = gauge('uplink_rate_bps', 'Ordered rate.');
	const rateError = gauge(
		'uplink_rate_error_ratio',
		'How far the sent rate was off while there was something to send.',
	);
	const objects = gauge('catalogue_objects', 'Objects in the catalogue.');
	const planned = gauge('carousel_objects', 'Objects that have a place in the cycle.');
	const misfits = gauge('carousel_misfits', 'Objects that do not fit into the cycle.');
	const cycles = gauge('carousel_rounds', 'Rounds completed.');
	const sent = gauge('carousel_objects_sent', 'Transmissions completed.');
	const roundSeconds = gauge('carousel_round_seconds', 'How long a round takes by plan.');
	const channels = gauge('live_channels', 'Channels that push.');
	router.get('/metrics', async (context) => {
		const status = options.status();
		sentBytes.set(status.uplink.sentBytes);
		sentPackets.set(status.uplink.sentPackets);
		sentBps.set(status.uplink.sentBps);
		rateBps.set(status.uplink.rateBps);
		rateError.set(status.uplink.rateErrorRatio);
		objects.set(options.catalogueObjects());
		planned.set(status.carousel.objects);
		misfits.set(status.carousel.doesNotFit.length);
		cycles.set(status.carousel.cycles);
		sent.set(status.carousel.objectsSent);
		roundSeconds.set(status.carousel.cycleMs / 1000);
		channels.set(status.live.length);
		context.body = await registry.metrics();
		context.set('Content-Type', registry.contentType);
	});
};
