import {z} from 'zod';

export const dayMs = 86_400_000;

/** The part of the fleet's configuration that says who certifies. Paths are read at start; a change needs a restart. */
export const authorityConfigSchema = z.strictObject({
	/**
	 * Brought by the operator: the root(s) in PEM, the issuing certificate (with those between it and the root after it)
	 * and its P-256 key. Several servers mount the same files. Absent: made on first start below the state directory.
	 */
	files: z
		.strictObject({rootCertificate: z.string(), issuingCertificate: z.string(), issuingKey: z.string()})
		.optional(),
	/** Of a box; it renews at two thirds. */
	deviceCertificateDays: z.int().min(1).max(3650).default(90),
	/** A box that was off for so long after its certificate ended may still renew it by itself, unless it was revoked. */
	lateRenewalDays: z.int().min(0).max(3650).default(180),
	/** Of the broker and the device listener, which are given new ones at two thirds. */
	serverCertificateDays: z.int().min(1).max(398).default(90),
	/** After so long without a new revocation list a broker refuses every box: it must be longer than any outage. */
	revocationListDays: z.int().min(1).max(90).default(30),
});
export type AuthorityConfig = z.infer<typeof authorityConfigSchema>;
