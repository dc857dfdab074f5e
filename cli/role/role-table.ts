import {fileURLToPath} from 'node:url';
import type {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';

/** The schema of each kind's own section of the box's file. */
export const sectionSchemas: Readonly<Record<BoxKind, z.ZodType>> = {
	headend: headendConfigSchema,
	stb: stbConfigSchema,
	'pop-node': popNodeConfigSchema,
};

/** The file that is a role's process. */
export const roleMainPath = (kind: BoxKind): string => fileURLToPath(new URL(`../../${kind}/main.ts`, import.meta.url));
