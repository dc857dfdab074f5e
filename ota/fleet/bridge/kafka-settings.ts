import {z} from 'zod';

/** A record larger than this is not Kafka's: its own default bound is 1 MiB (`message.max.bytes`). */
export const outboxBytesMaxDefault = 1024 ** 3;

export const kafkaSettingsSchema = z.strictObject({
	/** `host:port` of one or more brokers. */
	brokers: z
		.array(z.string().regex(/^[\w.-]+:\d{1,5}$|^\[[\da-f:]+\]:\d{1,5}$/iu))
		.min(1)
		.max(16),
	/** PEM files; an empty object uses the system's CAs. */
	tls: z
		.strictObject({
			caFile: z.string().optional(),
			certificateFile: z.string().optional(),
			keyFile: z.string().optional(),
		})
		.optional(),
	sasl: z
		.strictObject({
			mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
			username: z.string().min(1),
			password: z.string().min(1),
		})
		.optional(),
	/** Beyond it the oldest telemetry is given up; events never are. */
	outboxBytesMax: z
		.int()
		.min(64 * 1024)
		.default(outboxBytesMaxDefault),
});
export type KafkaSettings = z.infer<typeof kafkaSettingsSchema>;
