import type {ArrivalRecord} from '#stb/assemble/arrival.ts';
import type {AssemblerCounts} from '#stb/assemble/assembler-options.ts';

export type ArrivalCounts = {
	/** Counts a settled arrival of content; answers whether it was a loss. */
	settle(record: ArrivalRecord, options: {readonly begun: boolean}): 'stored' | 'lost' | 'over';
	addRecovered(bytes: number): void;
	read(): AssemblerCounts;
};

export const createArrivalCounts = (): ArrivalCounts => {
	const counts = {received: 0, repaired: 0, failed: 0, fecRecoveredBytes: 0};
	return {
		settle: ({facts, state, whole, superseded}, {begun}) => {
			const weight = facts.kind === 'content' ? 1 : 0;
			if (state.kind === 'stored') {
				counts.received += weight;
				counts.repaired += whole?.repaired === true ? weight : 0;
				return 'stored';
			}
			if (!superseded && state.kind === 'failed' && isLoss(state.code, begun)) {
				counts.failed += weight;
				return 'lost';
			}
			return 'over';
		},
		addRecovered: (bytes) => {
			counts.fecRecoveredBytes += bytes;
		},
		read: () => ({...counts}),
	};
};

/** Replaced by a newer version, or listed and never sent: nobody has lost anything. */
const isLoss = (code: string, begun: boolean): boolean =>
	code !== 'STB_ARRIVAL_SUPERSEDED' && code !== 'NATIVE_FLUTE_REPLACED' && (begun || code !== 'NATIVE_FLUTE_EXPIRED');
