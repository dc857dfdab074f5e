import {z} from 'zod';

/** The operator's mail server (submission, RFC 6409). */
export const smtpSettingsSchema = z.strictObject({
	host: z.string().min(1).max(253),
	port: z.int().min(1).max(65_535).default(587),
	/** TLS from the first byte (port 465); otherwise STARTTLS. */
	secure: z.boolean().default(false),
	/** Refuses to send where STARTTLS is not offered. */
	requireTls: z.boolean().default(true),
	auth: z.strictObject({user: z.string(), pass: z.string()}).optional(),
	from: z.string().min(3).max(320),
});
export type SmtpSettings = z.infer<typeof smtpSettingsSchema>;
