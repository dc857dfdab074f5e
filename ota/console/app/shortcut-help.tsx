import type {JSX} from 'preact';
import {Dialog} from '../component/dialog.tsx';
import {places} from './place.ts';

const others = [
	['/', 'Search or filter'],
	['?', 'This help'],
	['Esc', 'Close a dialog, leave a field'],
	['↑ ↓ PgUp PgDn', 'Move in a list of boxes'],
	['Enter', 'Open the box'],
	['x', 'Select the box'],
	['Ctrl Shift Esc', 'Leave the terminal'],
] as const;

export const ShortcutHelp = ({onClose}: {readonly onClose: () => void}): JSX.Element => (
	<Dialog title="Keyboard shortcuts" onClose={onClose}>
		<dl class="facts">
			{[...others, ...places.map(({key, name}) => [`g ${key}`, name] as const)].map(([keys, text]) => (
				<>
					<dt class="mono">{keys}</dt>
					<dd>{text}</dd>
				</>
			))}
		</dl>
	</Dialog>
);
