import test from 'ava';
import fc from 'fast-check';
import {errorCode} from '#appliance/error/coded-error.ts';
import {filterErrorCodes} from '#appliance/filter/filter-error.ts';
import type {FilterNode} from '#appliance/filter/filter-node.ts';
import {formatFilter} from '#appliance/filter/format-filter.ts';
import {filterDepthMax, filterTermsMax, parseFilter} from '#appliance/filter/parse-filter.ts';
import {filterCharsMax} from '#appliance/filter/tokenize-filter.ts';

const refusal = (text: string): unknown => {
	try {
		return parseFilter(text);
	} catch (error) {
		const {details} = error as {readonly details: {readonly column: number}};
		return `${errorCode(error)} ${details.column}`;
	}
};

test('and binds more tightly than or, and not more tightly than both', (t) => {
	t.deepEqual(parseFilter('not kind = stb and a or b'), {
		kind: 'or',
		nodes: [
			{
				kind: 'and',
				nodes: [
					{kind: 'not', node: {kind: 'equals', field: 'kind', value: 'stb'}},
					{kind: 'search', text: 'a'},
				],
			},
			{kind: 'search', text: 'b'},
		],
	});
});

test('words that stand side by side must all match', (t) => {
	t.deepEqual(parseFilter('a  "b c"'), parseFilter('a and "b c"'));
});

test('in is an or of equalities, and takes wildcards', (t) => {
	t.deepEqual(parseFilter('site in (paris, ly*)'), parseFilter('(site = paris or site = ly*)'));
	t.deepEqual(parseFilter('site not in (paris, lyon)'), parseFilter('not (site = paris or site = lyon)'));
});

test('a quoted value is taken as it is, star and keyword included', (t) => {
	t.deepEqual(parseFilter('model = "a* \\"or\\" b"'), {kind: 'equals', field: 'model', value: 'a* "or" b'});
});

test('an empty filter matches every box', (t) => {
	t.deepEqual(parseFilter(' \t\n'), {kind: 'all'});
});

test('every mistake is told by a code and its column', (t) => {
	const expected = {
		'kind = sbt': 'APPLIANCE_FILTER_WRONG_VALUE 8',
		'colour = red': 'APPLIANCE_FILTER_UNKNOWN_FIELD 1',
		'constructor = red': 'APPLIANCE_FILTER_UNKNOWN_FIELD 1',
		'a and (b or c': 'APPLIANCE_FILTER_SYNTAX 14',
		'a)': 'APPLIANCE_FILTER_SYNTAX 2',
		'a and': 'APPLIANCE_FILTER_SYNTAX 6',
		'or a': 'APPLIANCE_FILTER_SYNTAX 1',
		'site =': 'APPLIANCE_FILTER_SYNTAX 7',
		'site = (': 'APPLIANCE_FILTER_SYNTAX 8',
		'site in ()': 'APPLIANCE_FILTER_SYNTAX 10',
		'model = "abc': 'APPLIANCE_FILTER_SYNTAX 9',
		'a ! b': 'APPLIANCE_FILTER_SYNTAX 3',
		'site < lyon': 'APPLIANCE_FILTER_WRONG_OPERATOR 6',
		'release < new': 'APPLIANCE_FILTER_WRONG_VALUE 11',
		'lastSeen = 24h ago': 'APPLIANCE_FILTER_WRONG_OPERATOR 10',
		'lastSeen > 24x ago': 'APPLIANCE_FILTER_WRONG_VALUE 12',
		'lastSeen > yesterday': 'APPLIANCE_FILTER_WRONG_VALUE 12',
		'lastSeen > 2026-13-01': 'APPLIANCE_FILTER_WRONG_VALUE 12',
		'site = lyon ago': 'APPLIANCE_FILTER_WRONG_VALUE 8',
		[`site = ${'a'.repeat(300)}`]: 'APPLIANCE_FILTER_TOO_LONG 8',
		['a'.repeat(filterCharsMax + 1)]: `APPLIANCE_FILTER_TOO_LONG ${filterCharsMax + 1}`,
	};
	t.deepEqual(Object.fromEntries(Object.keys(expected).map((text) => [text, refusal(text)])), expected);
});

test('depth and terms are bounded', (t) => {
	const nested = (depth: number): string => `${'('.repeat(depth)}a${')'.repeat(depth)}`;
	t.notThrows(() => parseFilter(nested(filterDepthMax - 1)));
	t.is(refusal(nested(filterDepthMax)), `APPLIANCE_FILTER_TOO_DEEP ${filterDepthMax + 1}`);
	t.is(refusal('not '.repeat(filterDepthMax + 1)), `APPLIANCE_FILTER_TOO_DEEP ${4 * filterDepthMax + 1}`);
	t.notThrows(() => parseFilter('a '.repeat(filterTermsMax)));
	t.is(refusal('a '.repeat(filterTermsMax + 1)), `APPLIANCE_FILTER_TOO_MANY_TERMS ${2 * filterTermsMax + 1}`);
	t.regex(String(refusal(`tag in (${'a,'.repeat(filterTermsMax)}a)`)), /TOO_MANY_TERMS/u);
});

test('any text is a tree or a coded refusal', (t) => {
	const fragment = fc.oneof(
		fc.constantFrom('and', 'or', 'not', 'in', 'ago', '(', ')', ',', '=', '!=', '<', '~', '"', '\\', '*', ' ', 'site'),
		fc.string({unit: 'binary', maxLength: 8}),
	);
	fc.assert(
		fc.property(fc.array(fragment, {maxLength: 40}), (fragments) => {
			try {
				parseFilter(fragments.join(''));
			} catch (error) {
				t.true((filterErrorCodes as readonly unknown[]).includes(errorCode(error)));
			}
		}),
		{numRuns: 2000},
	);
	t.pass();
});

const text = fc.string({unit: 'grapheme', minLength: 1, maxLength: 12});
const leaf: fc.Arbitrary<FilterNode> = fc.oneof(
	text.map((value): FilterNode => ({kind: 'search', text: value})),
	text.map((value): FilterNode => ({kind: 'equals', field: 'model', value})),
	text.map((value): FilterNode => ({kind: 'contains', field: 'tag', text: value})),
	fc.constantFrom<FilterNode>(
		{kind: 'wildcard', field: 'id', parts: ['a', '', 'b'].filter((part) => part !== '')},
		{kind: 'release', field: 'release', order: '<=', value: '2.4.0-rc.1'},
		{kind: 'time', field: 'lastSeen', order: '>', value: {kind: 'ago', agoMs: 90_000}},
		{kind: 'time', field: 'enrolled', order: '<', value: {kind: 'at', atMs: 1_700_000_000_123}},
	),
);
const {node: tree} = fc.letrec<{node: FilterNode}>((tie) => ({
	node: fc.oneof(
		{maxDepth: 4},
		leaf,
		tie('node').map((node): FilterNode => ({kind: 'not', node})),
		fc
			.tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('node'), {minLength: 2, maxLength: 3}))
			.map(([kind, nodes]): FilterNode => ({kind, nodes})),
	),
}));

test('what is written from a tree is read as the same tree', (t) => {
	fc.assert(
		fc.property(tree, (node) => {
			const written = formatFilter(node);
			if (written.length <= filterCharsMax) {
				t.deepEqual(parseFilter(written), node);
			}
		}),
		{numRuns: 500},
	);
});
