import type {CommandName} from '#appliance/contract/fleet/command-schema.ts';

export type CommandField = {
	readonly name: string;
	readonly label: string;
	readonly kind: 'text' | 'number' | 'choice';
	readonly initial: string;
	readonly choices?: readonly string[];
	readonly hint?: string;
};

export type CommandForm = {
	readonly name: CommandName;
	readonly title: string;
	readonly text: string;
	readonly role: 'operator' | 'admin';
	readonly fields: readonly CommandField[];
	/** It may take long: how long the console waits for an answer. */
	readonly timeoutMs?: number;
};

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Commands that people give, and what each asks. Diagnostics and captures have their own place on the box's page. */
export const commandForms: readonly CommandForm[] = [
	{
		name: 'ping',
		title: 'Ping',
		text: 'Whether it answers, and its way to a host.',
		role: 'operator',
		fields: [
			{name: 'host', label: 'Host', kind: 'text', initial: '', hint: 'Empty: only whether the box answers'},
			{name: 'count', label: 'Times', kind: 'number', initial: '4'},
		],
	},
	{
		name: 'identify',
		title: 'Identify',
		text: 'It blinks, so that a person finds it in the rack.',
		role: 'operator',
		fields: [{name: 'seconds', label: 'Seconds', kind: 'number', initial: '30'}],
	},
	{
		name: 'read-signal',
		title: 'Read the signal',
		text: 'What the tuner receives at this moment.',
		role: 'operator',
		fields: [],
	},
	{
		name: 'restart-service',
		title: 'Restart a service',
		text: 'Stops and starts one service.',
		role: 'operator',
		fields: [{name: 'service', label: 'Service', kind: 'text', initial: ''}],
	},
	{
		name: 'reload-config',
		title: 'Read the configuration again',
		text: 'As after a change by hand.',
		role: 'operator',
		fields: [],
	},
	{
		name: 'set-log-level',
		title: 'Set the log level',
		text: 'For a while; then it falls back.',
		role: 'operator',
		fields: [
			{name: 'level', label: 'Level', kind: 'choice', initial: 'debug', choices: levels},
			{name: 'forMs', label: 'For milliseconds', kind: 'number', initial: '3600000'},
		],
	},
	{
		name: 'speed-test',
		title: 'Speed test',
		text: 'Fetches bytes and says how fast.',
		role: 'operator',
		timeoutMs: 120_000,
		fields: [
			{name: 'url', label: 'Address', kind: 'text', initial: 'https://'},
			{name: 'bytesMax', label: 'At most bytes', kind: 'number', initial: '10485760'},
		],
	},
	{
		name: 'purge-cache',
		title: 'Purge the cache',
		text: 'What begins with the prefix is dropped; empty = all.',
		role: 'operator',
		fields: [{name: 'uriPrefix', label: 'Prefix', kind: 'text', initial: ''}],
	},
	{
		name: 'reboot',
		title: 'Reboot',
		text: 'The picture is gone for about a minute.',
		role: 'operator',
		fields: [{name: 'delayMs', label: 'After milliseconds', kind: 'number', initial: '0'}],
	},
];

/** What was typed as the arguments of the command; what is empty is left out. */
export const argumentsOf = (form: CommandForm, typed: Readonly<Record<string, string>>): Record<string, unknown> =>
	Object.fromEntries(
		form.fields.flatMap(({name, kind}) => {
			const value = typed[name] ?? '';
			return value === '' ? [] : [[name, kind === 'number' ? Number(value) : value]];
		}),
	);
