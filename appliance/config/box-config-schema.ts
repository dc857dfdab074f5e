import {z} from 'zod';
import {fleetConfigSchema} from '#appliance/config/fleet-config-schema.ts';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {logLevels} from '#appliance/log/logger.ts';

export const listenSchema = z.strictObject({
	host: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 opens it to the network.'),
	port: z.int().min(0).max(65_535).describe('TCP port; 0 takes any free one.'),
});
export type ListenConfig = z.infer<typeof listenSchema>;

/** The technician's page. Without this section there is none. */
const commissionSchema = z.strictObject({
	listen: listenSchema.prefault({port: 8078}),
	satelliteDegreesEast: z
		.number()
		.min(-180)
		.max(180)
		.default(13)
		.describe('Of the satellite that dishes are pointed at; west is negative.'),
	latitudeDegrees: z.number().min(-90).max(90).optional().describe('Of the site; the technician may say it instead.'),
	longitudeDegrees: z.number().min(-180).max(180).optional().describe('Of the site; west is negative.'),
});
export type CommissionConfig = z.infer<typeof commissionSchema>;

/**
 * The part of a box's one YAML file that every kind shares. The role's own section stands under the kind's name and is
 * parsed by that role's schema, because appliance knows no role.
 */
export const boxConfigSchema = z.looseObject({
	version: z.literal(1),
	box: z.strictObject({
		id: deviceIdSchema,
		kind: boxKindSchema,
		stateDirectory: z.string().min(1).describe('Everything that the box keeps lies below it.'),
	}),
	log: z.strictObject({level: z.enum(logLevels).default('info')}).prefault({}),
	supervisor: z
		.strictObject({
			listen: listenSchema.prefault({port: 8079}),
			heartbeatTimeoutMs: z.int().min(1000).max(600_000).default(10_000),
			restartDelayMinMs: z.int().min(10).max(60_000).default(500),
			restartDelayMaxMs: z.int().min(100).max(3_600_000).default(30_000),
			stopTimeoutMs: z.int().min(100).max(600_000).default(10_000),
			startTimeoutMs: z
				.int()
				.min(1000)
				.max(3_600_000)
				.default(120_000)
				.describe('How long the role may take to be ready; a set-top box verifies its cache first.'),
			serviceOutageMaxMs: z
				.int()
				.min(1000)
				.max(86_400_000)
				.default(300_000)
				.describe("When a service that must run has been down for so long, systemd's watchdog is no longer fed."),
			commission: commissionSchema.optional().describe('The technician’s page, for the network of the home.'),
		})
		.prefault({}),
	fleet: fleetConfigSchema.optional(),
});
export type BoxConfig = z.infer<typeof boxConfigSchema>;
