import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {z} from 'zod';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {type Carrier, carriersMax, mergeCarriers} from '#stb/tuner/carrier.ts';
import {carrierSchema, type TunerConfig} from '#stb/tuner/tuner-config.ts';

/** What a box knows of its satellite over a restart: a bare dish is not searched again after each update. */
export type CarrierKeeper = {
	/** In the order of trying: the carrier that had the carousel, what the box's file names, and what networks told of. */
	readonly known: readonly Carrier[];
	/** Of a box that has its carousel; resolves at once where nothing is new. Does not throw: what is lost is a search. */
	readonly keep: (carriers: readonly Carrier[]) => Promise<void>;
};

const fileBytesMax = 256 * 1024;

const fileSchema = z.strictObject({
	version: z.literal(1),
	/** Of what the box's file said when it was learned: another dish or operator begins anew. */
	learnedBy: z.string(),
	/** What networks told of need not be what a box's file may say: such a carrier is forgotten, and the others are not. */
	carriers: z.array(carrierSchema.optional().catch(undefined)).max(carriersMax),
});

export const openCarrierKeeper = (options: {
	readonly path: string;
	readonly config: Pick<TunerConfig, 'antenna' | 'carriers' | 'networkId' | 'source'>;
	readonly logger: Logger;
}): CarrierKeeper => {
	const {path, config, logger} = options;
	const {antenna, carriers, networkId, source} = config;
	const learnedBy = createHash('sha256').update(JSON.stringify({antenna, carriers, networkId, source})).digest('hex');
	const read = (): readonly Carrier[] => {
		try {
			const bytes = readFileSync(path);
			if (bytes.length > fileBytesMax) {
				throw new RangeError(`${bytes.length} bytes`);
			}
			const kept = fileSchema.parse(JSON.parse(bytes.toString('utf8')));
			return kept.learnedBy === learnedBy ? kept.carriers.filter((carrier) => carrier !== undefined) : [];
		} catch (error) {
			if (!hasCode(error, 'ENOENT')) {
				logger.warn({err: error, path}, 'the carriers that were kept cannot be read; the satellite is searched anew');
			}
			return [];
		}
	};
	const kept = read();
	let written = JSON.stringify(kept);
	return {
		known: mergeCarriers(kept, carriers),
		keep: async (next) => {
			const text = JSON.stringify(next);
			if (text === written) {
				return;
			}
			written = text;
			try {
				await writeDurably(path, `${JSON.stringify({version: 1, learnedBy, carriers: next})}\n`, {mode: 0o600});
			} catch (error) {
				logger.warn({err: error, path}, 'the carriers cannot be kept');
			}
		},
	};
};
