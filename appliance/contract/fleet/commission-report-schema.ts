import {z} from 'zod';
import {tunerStatusSchema} from '#appliance/contract/tuner-status-schema.ts';

const latitudeSchema = z.number().min(-90).max(90);
const longitudeSchema = z.number().min(-180).max(180);

/** Where the dish stands and what it looks at, as the technician said it. */
export const dishSchema = z.object({
	latitudeDegrees: latitudeSchema,
	longitudeDegrees: longitudeSchema,
	satelliteDegreesEast: longitudeSchema,
});
export type Dish = z.infer<typeof dishSchema>;

/** One thing that a technician looks at before leaving. `unknown` is told as such, and is neither good nor bad. */
export const commissionCheckSchema = z.object({
	name: z.enum(['network', 'time', 'disk', 'fleet', 'services', 'signal', 'multicast', 'cache']),
	outcome: z.enum(['good', 'bad', 'unknown']),
	detail: z.string().max(512),
});
export type CommissionCheck = z.infer<typeof commissionCheckSchema>;

/** What a technician found and did at a box: printed, kept on the box, and told to the fleet. */
export const commissionReportSchema = z.object({
	atMs: z.int(),
	technician: z.string().max(80),
	note: z.string().max(500),
	release: z.string().max(256),
	dish: dishSchema.optional(),
	/** Absent when no tuner told anything. */
	tuner: tunerStatusSchema.optional(),
	checks: z.array(commissionCheckSchema).max(16),
});
export type CommissionReport = z.infer<typeof commissionReportSchema>;
