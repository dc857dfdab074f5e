let users = 0;

/**
 * xterm.js writes <style> elements, which our content security policy refuses. While one of these is held, the elements
 * that it asks for give their text to a constructed style sheet instead, which the policy allows: nothing has to be
 * opened for the one package. Answers how to stop.
 */
export const styleBySheet = (): (() => void) => {
	users += 1;
	const sheets: CSSStyleSheet[] = [];
	const create = Document.prototype.createElement;
	document.createElement = ((name: string, options?: ElementCreationOptions): HTMLElement => {
		if (name !== 'style') {
			return create.call(document, name, options);
		}
		const sheet = new CSSStyleSheet();
		sheets.push(sheet);
		document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
		const element = create.call(document, 'span');
		element.hidden = true;
		Object.defineProperty(element, 'textContent', {set: (text: string) => sheet.replaceSync(text)});
		return element;
	}) as typeof document.createElement;
	return () => {
		users -= 1;
		document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet));
		if (users === 0) {
			Reflect.deleteProperty(document, 'createElement');
		}
	};
};
