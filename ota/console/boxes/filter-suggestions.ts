/** What can follow at the caret, and which characters it takes the place of. */
export type Suggestions = {readonly from: number; readonly words: readonly string[]};

export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** The fields of appliance/filter, with the values of those that have a fixed choice. */
const fields: KnownValues = {
	id: [],
	kind: ['headend', 'stb', 'pop-node'],
	site: [],
	tag: [],
	model: [],
	serial: [],
	release: [],
	presence: ['online', 'offline', 'never'],
	health: ['ok', 'warning', 'critical', 'unknown'],
	lastSeen: ['24h ago', '1h ago', '7d ago'],
	enrolled: ['24h ago', '7d ago'],
	update: [
		'idle',
		'accepted',
		'fetching',
		'verified',
		'installing',
		'rebooting',
		'confirming',
		'confirmed',
		'refused',
		'failed',
		'rolled-back',
	],
	updateRelease: [],
	timeZone: [],
};

const shownMax = 12;
const ordered: readonly string[] = ['lastSeen', 'enrolled'];
const operators = ['=', '!=', '~', '<', '<=', '>', '>='];

const startingWith = (words: readonly string[], start: string): readonly string[] =>
	words.filter((word) => word.toLowerCase().startsWith(start.toLowerCase()) && word !== start).slice(0, shownMax);

/** Suggestions for the text before the caret. `known` has values that only the fleet knows: sites, releases, tags. */
export const suggestionsFor = (before: string, known: KnownValues): Suggestions => {
	const value = /(?<field>\w+)\s*(?:!=|<=|>=|[=<>~])\s*(?<start>[^\s()=<>!~,"]*)$/u.exec(before);
	const list = /(?<field>\w+)\s+(?:not\s+)?in\s*\([^)]*?(?<start>[^\s()=<>!~,"]*)$/u.exec(before);
	const found = (list ?? value)?.groups;
	if (found !== undefined) {
		const {field = '', start = ''} = found;
		const words = [...(fields[field] ?? []), ...(known[field === 'updateRelease' ? 'release' : field] ?? [])];
		return {from: before.length - start.length, words: startingWith([...new Set(words)], start)};
	}
	const field = /(?<field>\w+)(?<space>\s*)$/u.exec(before)?.groups;
	if (field?.['field'] !== undefined && fields[field['field']] !== undefined) {
		const choices = ordered.includes(field['field']) ? ['<', '>'] : operators.slice(0, 3);
		return {from: before.length, words: choices};
	}
	const start = /[^\s()=<>!~,"]*$/u.exec(before)?.[0] ?? '';
	const isAfterTerm = /[\w")]\s+$/u.test(before.slice(0, before.length - start.length)) && start === '';
	return {
		from: before.length - start.length,
		words: startingWith(isAfterTerm ? ['and', 'or', ...Object.keys(fields)] : [...Object.keys(fields), 'not'], start),
	};
};
