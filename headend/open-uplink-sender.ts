import type {OpenSender} from '#headend/carousel/uplink.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import {loopbackAddress} from '#headend/uplink/link-format.ts';
import {openFluteSender} from '#native/flute/sender.ts';

/** Lanes by level: signalling, then live, then the carousel's three, which share what is left by their weights. */
export const openUplinkSender =
	(config: HeadendConfig, rateBps: number): OpenSender =>
	(onEvents) => {
		const {shares} = config.carousel;
		const {burstBytesMax, ttl, output} = config.uplink;
		const interfaceAddress = output.form === 'ip' ? config.uplink.interfaceAddress : loopbackAddress;
		// A weight of zero would be no lane; a thousandth lets it move when the others are done.
		const weightOf = (share: number): number => Math.max(1, Math.round(share * 1000));
		return openFluteSender({
			rateBps,
			burstBytesMax,
			ttl,
			...(interfaceAddress === undefined ? {} : {interfaceAddress}),
			lanes: [
				{name: 'signalling', level: 0, weight: 1},
				{name: 'live', level: 1, weight: 1},
				{name: 'high', level: 2, weight: weightOf(shares.high)},
				{name: 'medium', level: 2, weight: weightOf(shares.medium)},
				{name: 'low', level: 2, weight: weightOf(shares.low)},
			],
			onEvents,
		});
	};
