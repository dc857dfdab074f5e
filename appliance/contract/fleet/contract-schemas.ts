import {z} from 'zod';
import {commandArguments, commandSchema, replySchema} from '#appliance/contract/fleet/command-schema.ts';
import {desiredSchema} from '#appliance/contract/fleet/desired-schema.ts';
import {orderClaimsSchema} from '#appliance/contract/fleet/order-schema.ts';
import {presenceSchema} from '#appliance/contract/fleet/presence-schema.ts';
import {releaseManifestSchema} from '#appliance/contract/fleet/release-schema.ts';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {acknowledgedSchema, eventSchema, telemetrySchema} from '#appliance/contract/fleet/spool-schema.ts';
import {streamFrameSchema} from '#appliance/contract/fleet/stream-schema.ts';

type ContractSchema = {readonly schema: z.ZodType; readonly title: string};

/** Every schema of the contract between boxes and their fleet, by the name of its JSON Schema file. */
export const contractSchemas = {
	presence: {schema: presenceSchema, title: 'Presence of a box'},
	reported: {schema: reportedSchema, title: 'What a box is and runs'},
	desired: {schema: desiredSchema, title: 'What the fleet wants of a box'},
	telemetry: {schema: telemetrySchema, title: 'A batch of samples'},
	event: {schema: eventSchema, title: 'What happened once on a box'},
	acknowledged: {schema: acknowledgedSchema, title: 'What is in the fleet’s database'},
	command: {schema: commandSchema, title: 'A command'},
	reply: {schema: replySchema, title: 'The answer to a command'},
	'stream-frame': {schema: streamFrameSchema, title: 'A frame of a terminal or log stream'},
	'order-claims': {schema: orderClaimsSchema, title: 'Claims of an order (payload of its JWS)'},
	'command-arguments': {
		schema: z.strictObject(commandArguments).partial(),
		title: 'Arguments of each command, by its name',
	},
	'release-manifest': {schema: releaseManifestSchema, title: 'Manifest of a release'},
} as const satisfies Readonly<Record<string, ContractSchema>>;

export type ContractSchemaName = keyof typeof contractSchemas;

export const schemaFileOf = (name: ContractSchemaName): string => `schema/${name}.schema.json`;

/** JSON Schema draft-07, the dialect of AsyncAPI 3. Of what is sent: what has a default may be left out. */
export const jsonSchemaOf = (name: ContractSchemaName): Readonly<Record<string, unknown>> => {
	const {schema, title} = contractSchemas[name];
	const {$schema, ...rest} = z.toJSONSchema(schema, {target: 'draft-7', io: 'input'});
	return {$schema, title, ...rest};
};
