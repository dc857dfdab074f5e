import {z} from 'zod';
import {accountRoleSchema} from '#ota/contract/account-api.ts';

/** Sign-in at the operator's own identity provider (OpenID Connect Core 1.0, code flow with PKCE). */
export const oidcSettingsSchema = z.strictObject({
	/** What the button says. */
	name: z.string().min(1).max(64),
	issuer: z.url({protocol: /^https?$/u}),
	clientId: z.string().min(1).max(256),
	clientSecret: z.string().min(1).max(1024),
	/** Where people reach this server; `/api/v1/oidc/callback` below it is the redirect URI. */
	publicUrl: z.url({protocol: /^https?$/u}),
	scope: z.string().max(512).default('openid profile email groups'),
	groupsClaim: z.string().max(128).default('groups'),
	/** The highest role of a person's groups counts; who is in none of them is refused. */
	roleByGroup: z.record(z.string(), accountRoleSchema),
	/** Plain HTTP to the provider: for tests on loopback only. */
	allowInsecure: z.boolean().default(false),
});
export type OidcSettings = z.infer<typeof oidcSettingsSchema>;
