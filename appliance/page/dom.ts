type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | undefined;

const svgNamespace = 'http://www.w3.org/2000/svg';

const fill = (node: Element, attributes: Attributes, children: readonly Child[]): void => {
	for (const [name, value] of Object.entries(attributes)) {
		setAttribute(node, name, value);
	}
	node.append(...children.filter((child) => child !== undefined));
};

/** Writes only what differs: an untouched attribute costs no style recalculation on a small set-top. */
export const setAttribute = (node: Element, name: string, value: string | number | boolean | undefined): void => {
	if (value === undefined || value === false) {
		node.removeAttribute(name);
		return;
	}
	const text = value === true ? '' : String(value);
	if (node.getAttribute(name) !== text) {
		node.setAttribute(name, text);
	}
};

/** Text is only ever text: names come from the air, and none of them can become markup. */
export const setText = (node: Element, text: string): void => {
	if (node.textContent !== text) {
		node.textContent = text;
	}
};

export const create = <Name extends keyof HTMLElementTagNameMap>(
	name: Name,
	attributes: Attributes = {},
	...children: readonly Child[]
): HTMLElementTagNameMap[Name] => {
	const node = document.createElement(name);
	fill(node, attributes, children);
	return node;
};

export const createSvg = <Name extends keyof SVGElementTagNameMap>(
	name: Name,
	attributes: Attributes = {},
	...children: readonly Child[]
): SVGElementTagNameMap[Name] => {
	const node = document.createElementNS(svgNamespace, name);
	fill(node, attributes, children);
	return node;
};

/** An icon of 24 by 24 from one path, hidden from screen readers: the control beside it has the words. */
export const icon = (path: string): SVGSVGElement =>
	createSvg('svg', {viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true'}, createSvg('path', {d: path}));
