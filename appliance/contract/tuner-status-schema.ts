import {z} from 'zod';

/**
 * What a satellite tuner measures at the moment. A driver tells what its chip can: each value may be missing, and none of
 * them is ever guessed.
 */
export const tunerStatusSchema = z.strictObject({
	/** Such as `adapter0/frontend0`. */
	name: z.string().min(1).max(64),
	locked: z.boolean(),
	/** Power at the tuner's input. */
	levelDbm: z.number().min(-150).max(50).optional(),
	/** Where the driver knows no unit: the share of its own scale. */
	levelRatio: z.number().min(0).max(1).optional(),
	/** Carrier to noise (C/N). */
	cnrDb: z.number().min(-20).max(60).optional(),
	/** Bits in error of all bits, before the outer code. */
	bitErrorRatio: z.number().min(0).max(1).optional(),
});
export type TunerStatus = z.infer<typeof tunerStatusSchema>;
