import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {claimSchema} from '#appliance/identity/claim-schema.ts';

/**
 * Whose orders make somebody root on this box, and which box it is: written by the superuser when the box is given its
 * claim, where the supervisor cannot write. The key moves on by signed rotations, as the supervisor's own trust does.
 */
export const trustAnchorSchema = z.strictObject({
	version: z.literal(1),
	fleet: claimSchema.shape.fleet,
	orderKey: claimSchema.shape.orderKey,
	deviceId: deviceIdSchema,
});
export type TrustAnchor = z.infer<typeof trustAnchorSchema>;

/** Undefined when the box was never given one. */
export const readTrustAnchor = async (file: string): Promise<TrustAnchor | undefined> => {
	const text = await readFile(file, 'utf8').catch(() => undefined);
	return text === undefined ? undefined : trustAnchorSchema.parse(JSON.parse(text));
};
