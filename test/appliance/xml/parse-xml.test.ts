import test from 'ava';
import {childOf, childrenOf, childText, parseXml} from '#appliance/xml/parse-xml.ts';

test('elements and attributes are found by their local names, an unprefixed attribute before a prefixed one', (t) => {
	const root = parseXml('<a:R xmlns:a="u" b:v="1" v="2" xml:lang="en"><x:C w="3">t</x:C><C/></a:R>');
	t.is(root.name, 'R');
	t.deepEqual([...root.attributes].toSorted(), [
		['lang', 'en'],
		['v', '2'],
	]);
	t.is(childrenOf(root, 'C').length, 2);
	t.is(childText(root, 'C'), 't');
	t.is(childOf(root, 'D'), undefined);
	t.is(parseXml('<R v="2" b:v="1"/>').attributes.get('v'), '2');
});

test('references of XML itself are resolved, in text and in attributes, and no others', (t) => {
	const root = parseXml('<R a="&lt;&#x41;&quot;">&amp;&#66;&apos;<![CDATA[&lt;]]>&nbsp;&#0;&#xD800;&#x110000;</R>');
	t.is(root.attributes.get('a'), '<A"');
	t.is(root.text, "&B'&lt;&nbsp;\uFFFD\uFFFD\uFFFD");
});

const refused = test.macro({
	exec: (t, xml: string, code: string) => {
		const isSlow = (): boolean => {
			const startMs = performance.now();
			const error = t.throws(() => parseXml(xml));
			t.like(error, {code});
			return performance.now() - startMs >= 5000;
		};
		// A machine that was given no time for a while is slow once, a parser each time.
		t.false(isSlow() && isSlow() && isSlow(), 'in bounded time');
	},
	title: (name) => `refused with a code: ${name}`,
});

test('nothing', refused, '', 'APPLIANCE_XML_MALFORMED');
test('no markup', refused, 'hello', 'APPLIANCE_XML_MALFORMED');
test('two roots', refused, '<A/><B/>', 'APPLIANCE_XML_MALFORMED');
test('an element that does not end', refused, '<A><B></A>', 'APPLIANCE_XML_MALFORMED');
test('an attribute twice', refused, '<A b="1" b="2"/>', 'APPLIANCE_XML_MALFORMED');
test('a name that pollutes prototypes', refused, '<__proto__ polluted="yes"/>', 'APPLIANCE_XML_MALFORMED');
test('a document type', refused, '<!DOCTYPE A><A/>', 'APPLIANCE_XML_MALFORMED');
test(
	'entities that grow without end',
	refused,
	'<!DOCTYPE A [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><A>&b;</A>',
	'APPLIANCE_XML_MALFORMED',
);
test('a document type in lower case and odd space', refused, '<A/>\n<!doctype A>', 'APPLIANCE_XML_MALFORMED');
test('a tower of elements', refused, `${'<A>'.repeat(5000)}${'</A>'.repeat(5000)}`, 'APPLIANCE_XML_MALFORMED');
test('more tags than is read', refused, '<'.repeat(2_000_000), 'APPLIANCE_XML_TOO_LARGE');
test('more elements than is read', refused, `<A>${'<B/>'.repeat(61_000)}</A>`, 'APPLIANCE_XML_TOO_LARGE');
test('more characters than is read', refused, `<A>${'x'.repeat(4_200_000)}</A>`, 'APPLIANCE_XML_TOO_LARGE');
test('an attribute without end', refused, `<A ${'b="'.repeat(500_000)}`, 'APPLIANCE_XML_MALFORMED');
test('comments that never end', refused, `<A>${'<!--'.repeat(100_000)}`, 'APPLIANCE_XML_MALFORMED');
