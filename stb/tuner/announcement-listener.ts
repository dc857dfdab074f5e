import {signallingUris} from '#appliance/contract/gateway-session.ts';
import type {SignallingStore} from '#stb/receive/signalling-store.ts';
import {type NetworkInformation, parseNetworkInformation} from '#stb/signalling/parse-network-information.ts';
import {type Carrier, carriersOfNetworks, isSameCarrier} from '#stb/tuner/carrier.ts';

/** What has been heard on the carrier since it was tuned to. */
export type Announcement =
	| {readonly kind: 'silence'}
	/** The wanted network. */
	| {readonly kind: 'wanted'; readonly carriers: readonly Carrier[]}
	/** Another, which may tell where the wanted one is. */
	| {readonly kind: 'elsewhere'; readonly carriers: readonly Carrier[]};

export type AnnouncementListener = {
	/** A carrier is listened to from now on. */
	readonly listen: (carrier: Carrier) => void;
	readonly announcement: () => Announcement;
};

type Heard = {
	readonly bytes: Buffer;
	readonly on: Carrier | undefined;
	readonly network: NetworkInformation | undefined;
};

/**
 * Tells by what was received whether a carrier brings the wanted network. Signalling that does not change is told of once, so
 * what was heard on a carrier before holds there again as soon as packets come; what was heard on another does not.
 */
export const createAnnouncementListener = (options: {
	readonly networkId: number | undefined;
	readonly packets: () => number;
	readonly announced: () => boolean;
	readonly document: SignallingStore['document'];
}): AnnouncementListener => {
	const {networkId, packets, announced} = options;
	let carrier: Carrier | undefined;
	let packetsBefore = 0;
	let heard: Heard | undefined;
	const network = (): NetworkInformation | undefined => {
		const bytes = options.document(signallingUris.networkInformation)?.bytes;
		if (bytes !== undefined && bytes !== heard?.bytes) {
			heard = {bytes, on: carrier, network: parse(bytes)};
		}
		const here = heard?.on !== undefined && carrier !== undefined && isSameCarrier(heard.on, carrier);
		return here ? heard?.network : undefined;
	};
	return {
		listen: (next) => {
			// Whose the document is that came last is settled before the carrier changes.
			network();
			carrier = next;
			packetsBefore = packets();
		},
		announcement: () => {
			const information = network();
			if (packets() === packetsBefore || !announced()) {
				return {kind: 'silence'};
			}
			const carriers = information === undefined ? [] : carriersOfNetworks(information, networkId);
			if (networkId === undefined) {
				return {kind: 'wanted', carriers};
			}
			if (information === undefined) {
				return {kind: 'silence'};
			}
			return {kind: information.networkId === networkId ? 'wanted' : 'elsewhere', carriers};
		},
	};
};

/** A file that cannot be read tells nothing; who receives it keeps it as it came. */
const parse = (bytes: Buffer): NetworkInformation | undefined => {
	try {
		return parseNetworkInformation(bytes.toString('utf8'));
	} catch {
		return undefined;
	}
};
