import type {FilterNode, FilterTime} from '#appliance/filter/filter-node.ts';

const bareWord = /^[^\s()=<>!~,"*\\]+$/u;
const keywords: readonly string[] = ['and', 'or', 'not', 'in', 'ago'];

/** Writes a tree so that parsing it again gives the same tree. */
export const formatFilter = (node: FilterNode): string => {
	switch (node.kind) {
		case 'all':
			return '';
		case 'and':
		case 'or':
			return node.nodes.map((each) => formatOperand(each)).join(` ${node.kind} `);
		case 'not':
			return `not ${formatOperand(node.node)}`;
		case 'search':
			return formatText(node.text);
		case 'equals':
			return `${node.field} = ${formatText(node.value)}`;
		case 'wildcard':
			return `${node.field} = ${node.parts.join('*')}`;
		case 'contains':
			return `${node.field} ~ ${formatText(node.text)}`;
		case 'release':
			return `${node.field} ${node.order} ${node.value}`;
		case 'time':
			return `${node.field} ${node.order} ${formatTime(node.value)}`;
	}
};

/** An `and` or `or` within anything else is put in parentheses, even in its own kind, which keeps the tree as it is. */
const formatOperand = (node: FilterNode): string =>
	node.kind === 'and' || node.kind === 'or' ? `(${formatFilter(node)})` : formatFilter(node);

const formatText = (text: string): string =>
	bareWord.test(text) && !keywords.includes(text.toLowerCase())
		? text
		: `"${text.replaceAll(/["\\]/gu, (character) => `\\${character}`)}"`;

const units = [
	['w', 604_800_000],
	['d', 86_400_000],
	['h', 3_600_000],
	['m', 60_000],
	['s', 1000],
] as const;

const formatTime = (time: FilterTime): string => {
	if (time.kind === 'at') {
		return new Date(time.atMs).toISOString();
	}
	const [unit, ms] = units.find(([, each]) => time.agoMs % each === 0) ?? ['s', 1000];
	return `${time.agoMs / ms}${unit} ago`;
};
