import type {CarrierFacts} from '#cli/probe/analysis.ts';
import type {Finding} from '#cli/probe/finding.ts';
import type {BroadcastStream} from '#cli/probe/signalling/announcement.ts';
import type {NetworkStream} from '#stb/signalling/parse-network-information.ts';

export type SourceKind = 'capture' | 'stream' | 'multicast' | 'samples' | 'tuner';

export type ObjectReport = {
	readonly group: string;
	readonly port: number;
	readonly tsi: number;
	readonly toi: string;
	/** Absent as long as no FDT instance has told. */
	readonly uri?: string | undefined;
	readonly contentType?: string | undefined;
	readonly contentEncoding?: string | undefined;
	readonly sizeBytes?: number | undefined;
	readonly transferBytes?: number | undefined;
	readonly packets: number;
	/** On the IP layer, all transmissions. */
	readonly bytes: number;
	readonly firstMs: number;
	readonly transmissions: number;
	readonly wholeTransmissions: number;
	/** From the beginning of one transmission to that of the next. */
	readonly cycleMs?: {readonly min: number; readonly mean: number; readonly max: number} | undefined;
	/** Source symbols that did not come. */
	readonly lostSymbols: number;
	readonly sourceSymbols: number;
	readonly repairSymbols: number;
	readonly duplicates: number;
	readonly passes: readonly {readonly startMs: number; readonly endMs: number; readonly lost: number}[];
};

export type SessionReport = {
	readonly group: string;
	readonly port: number;
	readonly tsi: number;
	readonly announced: boolean;
	readonly sources: readonly string[];
	readonly packets: number;
	readonly bytes: number;
	readonly bps?: number | undefined;
	readonly fdtInstances: number;
	readonly encodingIds: readonly number[];
	readonly objects: number;
	readonly lostSymbols: number;
	readonly sourceSymbols: number;
	readonly lossRatio: number;
	readonly untrackedPackets: number;
	/** Sender's clock less the capture's. */
	readonly senderOffsetMs?: number | undefined;
};

export type LayerReport = {
	readonly layer: string;
	readonly bytes: number;
	readonly bps?: number | undefined;
	/** Of the outermost layer. */
	readonly share: number;
};

/** What a demodulator found in samples. */
export type SignalReport = {
	readonly modcod: string;
	readonly symbolRate: number;
	readonly frames: number;
	readonly failedFrames: number;
	readonly merDb?: number | undefined;
	/** Interleaved I and Q around ±1, some thousands. */
	readonly constellation: readonly number[];
	/** Power in dB over the sampled band, lowest frequency first. */
	readonly spectrumDb: readonly number[];
	readonly sampleRate: number;
};

/** Everything that `probe` found; `--json` prints it as it is. */
export type ProbeReport = {
	readonly version: 1;
	readonly source: {
		readonly name: string;
		readonly kind: SourceKind;
		readonly bytes: number;
		readonly datagrams: number;
		readonly ipBytes: number;
	};
	/** Absent where nothing told the time. */
	readonly span?: {readonly startMs: number; readonly durationMs: number} | undefined;
	readonly signal?: SignalReport | undefined;
	readonly carriers: readonly CarrierFacts[];
	readonly layers: readonly LayerReport[];
	readonly networks: readonly {
		readonly networkId: number;
		readonly name: string;
		readonly streams: readonly NetworkStream[];
	}[];
	readonly nipServices: readonly BroadcastStream[];
	readonly services: readonly {
		readonly identifier: string;
		readonly name: string;
		readonly channelNumber?: number | undefined;
		readonly deliveries: readonly string[];
	}[];
	readonly sessions: readonly SessionReport[];
	/** The most bytes first. */
	readonly objects: readonly ObjectReport[];
	readonly objectsLeftOut: number;
	/** UDP that is neither FLUTE nor a carrier of it. */
	readonly others: readonly {readonly endpoint: string; readonly packets: number; readonly bytes: number}[];
	readonly rates: readonly {
		readonly name: string;
		readonly startMs: number;
		readonly binMs: number;
		readonly bps: readonly number[];
	}[];
	readonly findings: readonly Finding[];
};
