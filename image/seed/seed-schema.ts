import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {claimSchema} from '#appliance/identity/claim-schema.ts';
import {networkSeedSchema} from '#image/seed/network-seed.ts';

/** A seed of more bytes than this is refused unread. */
export const seedBytesMax = 128 * 1024;

/** Where a seed lies on the EFI system partition, and on a technician's USB stick. */
export const seedPath = 'streamverse/seed.json';

/**
 * What a technician gives a box with its image: which box it is, where it stands, and with what it may join its fleet.
 * Written by `streamverse flash`; read once, and removed, by the box's first boot.
 */
export const seedSchema = z.strictObject({
	version: z.literal(1),
	deviceId: deviceIdSchema
		.optional()
		.describe('Default: the name in the claim, else the kind and the address of the first network card.'),
	site: z.string().min(1).max(64).optional(),
	tags: z.array(z.string().min(1).max(64)).max(32).optional(),
	timeZone: z.string().max(64).optional(),
	claim: claimSchema.optional(),
	network: networkSeedSchema.optional(),
	config: z
		.record(z.string().max(64), z.unknown())
		.optional()
		.describe('Merged over the box’s file (RFC 7396): such as the headend of a pop-node.'),
});
export type Seed = z.infer<typeof seedSchema>;
