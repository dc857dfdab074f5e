import {z} from 'zod';

export const boxKinds = ['headend', 'stb', 'pop-node'] as const;
export const boxKindSchema = z.enum(boxKinds);
export type BoxKind = z.infer<typeof boxKindSchema>;

/** A box's name in the fleet: lower-case letters, digits and hyphens. */
export const deviceIdSchema = z
	.string()
	.regex(/^[a-z0-9-]{3,64}$/u, 'must be 3 to 64 of a-z, 0-9 and -')
	.brand<'DeviceId'>();
export type DeviceId = z.infer<typeof deviceIdSchema>;
