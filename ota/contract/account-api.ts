import {z} from 'zod';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/** Each role may do what those before it may. */
export const accountRoles = ['viewer', 'operator', 'approver', 'admin'] as const;
export const accountRoleSchema = z.enum(accountRoles);
export type AccountRole = z.infer<typeof accountRoleSchema>;

/** NIST SP 800-63B section 3.1.1.2: at least 12, no rules of composition, and long pass phrases are welcome. */
export const passwordCharactersMin = 12;
export const passwordCharactersMax = 256;

export const loginNameSchema = z
	.string()
	.regex(/^[a-z0-9][a-z0-9._@+-]{0,127}$/u, 'must be 1 to 128 of a-z, 0-9 and . _ @ + -');
export const newPasswordSchema = z.string().min(passwordCharactersMin).max(passwordCharactersMax);

/** GET /login-methods, for the sign-in page; needs no account. */
export const loginMethodsSchema = z.object({
	password: z.boolean(),
	/** Send the browser to `startPath` (with `?returnTo=/…`); it comes back signed in. Null = no single sign-on. */
	oidc: z.object({name: z.string(), startPath: z.string()}).nullable(),
});
export type LoginMethods = z.infer<typeof loginMethodsSchema>;

/** POST /session: signs in; the answer sets the cookie. 401 tells no more than that it was wrong; 429 to wait. */
export const loginSchema = z.strictObject({
	name: z.string().min(1).max(128),
	password: z.string().min(1).max(passwordCharactersMax),
});

/** GET /session: who is signed in (401 when nobody); DELETE /session signs out. */
export const sessionSchema = z.object({
	account: z.object({
		id: z.string(),
		name: z.string(),
		displayName: z.string(),
		role: accountRoleSchema,
		/** The password was given by somebody else: everything but PUT /session/password is refused. */
		mustChangePassword: z.boolean(),
		/** Signed in by OIDC: it has no password here. */
		external: z.boolean(),
	}),
	/** Null for an API token. */
	expiresMs: z.int().nullable(),
});
export type Session = z.infer<typeof sessionSchema>;

/** PUT /session/password: ends every other session of the account. */
export const passwordChangeSchema = z.strictObject({
	current: z.string().min(1).max(passwordCharactersMax),
	next: newPasswordSchema,
});

export const accountSchema = z.object({
	id: z.string(),
	name: z.string(),
	displayName: z.string(),
	role: accountRoleSchema,
	external: z.boolean(),
	disabled: z.boolean(),
	mustChangePassword: z.boolean(),
	createdMs: z.int(),
	lastLoginMs: z.int().nullable(),
	/** Refuses sign-ins until then, after too many wrong passwords. */
	lockedUntilMs: z.int().nullable(),
	/** What If-Match of PATCH and DELETE wants (also the ETag of GET /accounts/{id}). */
	editVersion: z.int(),
});
export type Account = z.infer<typeof accountSchema>;
/** GET /accounts (admin). */
export const accountPageSchema = pageOf(accountSchema);
export const accountQuerySchema = pageQuerySchema;
/** `{id}` of accounts, tokens, alerts, mutes and channels. */
export const idParametersSchema = z.strictObject({id: z.string().min(1).max(64)});

/** POST /accounts (admin). Without a password one is made and shown once in the answer. */
export const accountCreateSchema = z.strictObject({
	name: loginNameSchema,
	displayName: z.string().min(1).max(128),
	role: accountRoleSchema,
	password: newPasswordSchema.optional(),
});
/** Answer of POST /accounts and of POST /accounts/{id}/password-reset (admin). */
export const accountCreatedSchema = z.object({account: accountSchema, oneTimePassword: z.string().nullable()});

/**
 * What an account may do less of, its tokens do not outlive: they would be there again when it may do more. Whoever knows
 * of a machine that needs them says so, and the audit log has it.
 */
const keepTokensSchema = z.boolean().default(false);

/** POST /accounts/{id}/password-reset (admin): ends every session of the account, and its tokens. */
export const passwordResetSchema = z.strictObject({keepTokens: keepTokensSchema}).prefault({});

/**
 * PATCH /accounts/{id} (admin). The last admin stays one. Disabling it, or another role, ends its sessions; disabling ends
 * its tokens too, and a lesser role those that had a greater one.
 */
export const accountPatchSchema = z.strictObject({
	displayName: z.string().min(1).max(128).optional(),
	role: accountRoleSchema.optional(),
	disabled: z.boolean().optional(),
	keepTokens: keepTokensSchema,
});

export const apiTokenSchema = z.object({
	id: z.string(),
	name: z.string(),
	/** The first characters, by which a person knows which one it is. */
	prefix: z.string(),
	role: accountRoleSchema,
	accountId: z.string(),
	accountName: z.string(),
	createdMs: z.int(),
	expiresMs: z.int(),
	lastUsedMs: z.int().nullable(),
});
export type ApiToken = z.infer<typeof apiTokenSchema>;
/** GET /tokens: one's own; an admin sees all. */
export const apiTokenPageSchema = pageOf(apiTokenSchema);

export const tokenLifeDaysMax = 366;
/** POST /tokens: `role` at most one's own. DELETE /tokens/{id} ends it at once. */
export const apiTokenCreateSchema = z.strictObject({
	name: z.string().min(1).max(128),
	role: accountRoleSchema,
	lifeDays: z.int().min(1).max(tokenLifeDaysMax).default(90),
});
/** `token` is shown this once. */
export const apiTokenCreatedSchema = z.object({token: z.string(), entry: apiTokenSchema});
