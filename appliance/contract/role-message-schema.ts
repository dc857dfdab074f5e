import {z} from 'zod';

/** What a role's process tells its supervisor over the IPC channel. */
export const roleMessageSchema = z.discriminatedUnion('kind', [
	/** It serves; `endpoints` are the URLs that it listens on, by name. */
	z.strictObject({kind: z.literal('ready'), endpoints: z.record(z.string().max(64), z.string().max(1024))}),
	/** Its loop turns. Sent every second; the supervisor restarts a process whose heartbeat stops. */
	z.strictObject({kind: z.literal('heartbeat')}),
	/** One line for people, shown by systemd and the status page. */
	z.strictObject({kind: z.literal('status'), text: z.string().max(512)}),
]);
export type RoleMessage = z.infer<typeof roleMessageSchema>;

/** How often a role beats, ms. */
export const heartbeatIntervalMs = 1000;
