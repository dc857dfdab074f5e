import type {GatewaySession} from '#appliance/contract/gateway-session.ts';
import type {Title} from '#appliance/contract/title-schema.ts';
import type {SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import type {Transmission} from '#headend/uplink/transmission.ts';

/** What the announcement says of this headend. */
export const signallingFactsOf = (transmission: Transmission, titles: readonly Title[]): SignallingFacts => {
	const {operator, network, uplink, repair} = transmission.config;
	const session = (group: string, port: number, tsi: number): GatewaySession => ({
		endpoint: {group, port, source: uplink.sourceAddress, tsi},
		bitrateMaxBps: transmission.rateBps,
		fecEncodingId: uplink.fec.encodingId,
		fecOverheadPercent: uplink.fec.encodingId === 0 ? 0 : Math.round(uplink.fec.overheadPercent),
	});
	const {satellite, ...link} = network;
	return {
		operator,
		objectBaseUri: operator.objectBaseUri,
		announcement: session(uplink.announcement.group, uplink.announcement.port, uplink.announcement.tsi),
		content: [
			{...session(uplink.group, uplink.port, uplink.carouselTsi), id: 'carousel', carries: 'files'},
			{...session(uplink.group, uplink.port, uplink.liveTsi), id: 'live', carries: 'live'},
		],
		repair: repair.baseUrls.length === 0 ? undefined : {...repair, objectBaseUri: operator.objectBaseUri},
		webBaseUrl: operator.webBaseUrl,
		network: {
			...link,
			providerName: operator.name,
			satellite: satellite === null ? undefined : {...satellite, serviceId: network.serviceId},
		},
		titles,
	};
};
