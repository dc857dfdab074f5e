import test from 'ava';
import fc from 'fast-check';
import {signallingPaths, signallingUris} from '#appliance/contract/gateway-session.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {parseGatewayConfiguration} from '#stb/signalling/parse-gateway-configuration.ts';
import {parseNetworkInformation} from '#stb/signalling/parse-network-information.ts';
import {parseServiceList} from '#stb/signalling/parse-service-list.ts';
import {parseTitles} from '#stb/signalling/parse-titles.ts';
import {titlesOfServiceList} from '#stb/signalling/titles-of-service-list.ts';
import {base, documentsOf, sampleFacts} from '#test/helper/sample-signalling.ts';

const documents = documentsOf(sampleFacts);
const slowestMs = 2000;
const seed = 20_261_121;

const snippets = [
	'<',
	'>',
	'&',
	'"',
	"'",
	'/',
	'=',
	'\u0000',
	'\uFFFF',
	'<!--',
	'-->',
	'<![CDATA[',
	']]>',
	'<!DOCTYPE a>',
	'<?x ?>',
	'&#x110000;',
	'&lol;',
	'</',
	'/>',
	' xmlns:a="b"',
	'__proto__',
	'constructor',
	'99999999999999999999',
	'-1',
	'NaN',
	'null',
	'[',
	'{',
	'}',
	']',
	'\\u0000',
	'"__proto__":1,',
	'http://dvb.gw/../..',
	'javascript:alert(1)',
	'😀',
];

type Mutation = {
	readonly at: number;
	readonly length: number;
	readonly kind: 'cut' | 'double' | 'insert' | 'truncate' | 'replace';
	readonly snippet: string;
};

/** Cuts, doubles, moves and replaces pieces of a true document. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
	at: fc.double({min: 0, max: 1, noNaN: true}),
	length: fc.nat(400),
	kind: fc.constantFrom('cut', 'double', 'insert', 'truncate', 'replace'),
	snippet: fc.oneof(fc.constantFrom(...snippets), fc.string({unit: 'binary', maxLength: 20})),
});

const mutate = (text: string, mutations: readonly Mutation[]): string => {
	let result = text;
	for (const {at, length, kind, snippet} of mutations) {
		const start = Math.floor(at * result.length);
		const head = result.slice(0, start);
		const piece = result.slice(start, start + length);
		const tail = result.slice(start + length);
		result = {
			cut: head + tail,
			double: head + piece + piece + tail,
			insert: head + snippet + piece + tail,
			truncate: head,
			replace: head + snippet + tail,
		}[kind];
	}
	return result;
};

const holds = test.macro({
	exec: (t, uri: string, parse: (text: string) => unknown) => {
		const original = documents.get(uri) ?? '';
		t.notThrows(() => parse(original));
		let parsed = 0;
		fc.assert(
			fc.property(fc.array(mutation, {minLength: 1, maxLength: 6}), (mutations) => {
				const text = mutate(original, mutations);
				const isSlow = (): boolean => {
					const startMs = performance.now();
					try {
						parse(text);
						parsed += 1;
					} catch (error) {
						if (!(error instanceof CodedError) || !/^(?:STB_SIGNALLING|APPLIANCE_XML)_/u.test(error.code)) {
							throw error;
						}
					}
					return performance.now() - startMs > slowestMs;
				};
				// A machine that was given no time for a while is slow once, a parser each time.
				if (isSlow() && isSlow() && isSlow()) {
					throw new Error('This document took too long.');
				}
			}),
			{numRuns: 1500, seed},
		);
		t.true(parsed > 0, 'some mutations leave a document that can be read');
	},
	title: (name) => `no mutation of ${name} does more than refuse it with a code`,
});

test('a bootstrap', holds, signallingUris.bootstrap, parseGatewayConfiguration);
test('a gateway configuration', holds, signallingUris.gatewayConfiguration, parseGatewayConfiguration);
test('a network information file', holds, signallingUris.networkInformation, parseNetworkInformation);
test('a service list', holds, base + signallingPaths.serviceList, (text: string) =>
	titlesOfServiceList(parseServiceList(text)),
);
test('a list of titles', holds, base + signallingPaths.titles, parseTitles);

test('no prototype is polluted by a list of titles', (t) => {
	const text = `{"version":1,"titles":[{"__proto__":{"polluted":1},"id":"a"}],"__proto__":{"polluted":1}}`;
	t.deepEqual(parseTitles(text).titles, []);
	t.is(({} as {polluted?: unknown}).polluted, undefined);
});
