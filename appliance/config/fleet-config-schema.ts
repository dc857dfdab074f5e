import {z} from 'zod';
import {sampleIntervalMsMax} from '#appliance/contract/fleet/sample-interval.ts';

const isTimeZone = (name: string): boolean => {
	try {
		return new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone !== '';
	} catch {
		return false;
	}
};

const userName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/u);

/** The section `fleet` of a box's file. Without it a box belongs to no fleet. Every key needs a restart of the supervisor. */
export const fleetConfigSchema = z.strictObject({
	claimFile: z
		.string()
		.min(1)
		.max(1024)
		.optional()
		.describe('Where a claim may be brought (a USB stick, the flash tool); relative to the box’s file.'),
	model: z.string().min(1).max(128).default('generic').describe('Of the hardware, as reported.'),
	serial: z.string().min(1).max(128).optional(),
	site: z.string().max(64).optional(),
	tags: z.array(z.string().max(64)).max(32).default([]),
	timeZone: z
		.string()
		.max(64)
		.refine(isTimeZone, 'is no time zone of the IANA database')
		.optional()
		.describe('IANA name, for maintenance windows; default that of the system.'),
	compatible: z.string().min(1).max(128).default('generic').describe('What a bundle must say to be for this hardware.'),
	installer: z
		.discriminatedUnion('kind', [
			z.strictObject({kind: z.literal('none')}),
			z.strictObject({
				kind: z.literal('directory'),
				directory: z.string().min(1).max(1024).describe('Holds both slots; for development.'),
			}),
			z.strictObject({
				kind: z.literal('rauc'),
				busAddress: z.string().max(1024).optional(),
				slotPaths: z
					.array(z.string().min(1).max(1024))
					.max(16)
					.optional()
					.describe('Partitions that this process may read, whose blocks need not be fetched again.'),
			}),
		])
		.default({kind: 'none'})
		.describe('How updates are written to this box.'),
	sampleIntervalMs: z
		.int()
		.min(100)
		.max(sampleIntervalMsMax)
		.default(60_000)
		.describe('Between two samples of telemetry; by them the fleet hears that the box is there.'),
	logDirectory: z.string().max(1024).optional().describe('Log files for bundles, where no journal keeps them.'),
	crashDirectory: z.string().max(1024).optional(),
	terminal: z
		.strictObject({
			enabled: z.boolean().default(true),
			user: userName.default('nobody').describe('Whom a shell that is not elevated runs as.'),
			group: userName.default('nogroup'),
			shell: z
				.string()
				.regex(/^\/[\w/.-]{1,255}$/u)
				.default('/bin/bash'),
			linkLossMs: z.int().min(100).max(600_000).default(60_000).describe('A stream outlives a lost link so long.'),
		})
		.prefault({}),
});
export type FleetConfig = z.infer<typeof fleetConfigSchema>;
