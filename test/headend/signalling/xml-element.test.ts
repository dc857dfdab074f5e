import test from 'ava';
import fc from 'fast-check';
import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {element, serialiseDocument, text} from '#headend/signalling/xml-element.ts';

test('markup in text and attributes is escaped, and what is undefined is left out', (t) => {
	const root = element('A', {x: '"<&>\n', y: undefined, z: 1}, undefined, text('B', '<&>"\r'), [undefined]);
	t.is(
		serialiseDocument(root),
		'<?xml version="1.0" encoding="UTF-8"?>\n<A x="&quot;&lt;&amp;&gt;&#10;" z="1"><B>&lt;&amp;&gt;"&#13;</B></A>\n',
	);
});

test('characters that XML forbids are replaced, and those beyond the first plane are kept', (t) => {
	t.true(
		serialiseDocument(text('A', 'a\u0000b\u000Bc\uD800d\uFFFEe😀')).includes('<A>a\uFFFDb\uFFFDc\uFFFDd\uFFFDe😀</A>'),
	);
});

test('whatever a name holds, the document is well-formed and says the same', (t) => {
	const parser = new XMLParser({
		ignoreAttributes: false,
		attributeNamePrefix: '',
		trimValues: false,
		parseTagValue: false,
	});
	fc.assert(
		fc.property(fc.string({unit: 'binary', minLength: 1}), (value) => {
			const xml = serialiseDocument(element('A', {x: value}, text('B', `.${value}`)));
			t.is(XMLValidator.validate(xml), true);
			if (/^[\w<>&"' -]*$/u.test(value)) {
				t.is(parser.parse(xml).A.B, `.${value}`);
			}
		}),
		{numRuns: 300},
	);
});
