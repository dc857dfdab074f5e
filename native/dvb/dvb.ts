import type {PacketEndpoint} from '../packet/packet.ts';
import {openFeedTuner} from './feed-tuner.ts';
import {openFileTuner} from './file-tuner.ts';
import {openKernelTuner} from './kernel-tuner.ts';
import type {Tuner} from './tuner.ts';

/** Where a tuner is. */
export type TunerSource =
	| {
			readonly kind: 'kernel';
			readonly adapter: number;
			readonly frontend?: number | undefined;
			readonly demux?: number | undefined;
	  }
	| {
			readonly kind: 'file';
			readonly format: Tuner['format'];
			readonly path: string;
			readonly bitrateBps?: number | undefined;
			readonly repeat?: boolean | undefined;
	  }
	| {
			readonly kind: 'udp';
			readonly format: Tuner['format'];
			readonly group: string;
			readonly port: number;
			readonly source?: string | undefined;
			readonly interfaceAddress?: string | undefined;
	  };

/**
 * One surface over whatever brings a transponder.
 * @throws NativeError NATIVE_DVB_… or NATIVE_PACKET_…
 */
export const openTuner = (source: TunerSource): Tuner => {
	switch (source.kind) {
		case 'kernel':
			return openKernelTuner(source);
		case 'file':
			return openFileTuner(source);
		case 'udp': {
			const {format, group, port, source: sender, interfaceAddress} = source;
			const endpoint: PacketEndpoint = {
				...{group, port},
				...(sender === undefined ? {} : {source: sender}),
				...(interfaceAddress === undefined ? {} : {interfaceAddress}),
			};
			return openFeedTuner({format, endpoint});
		}
	}
};
