import './style/token.css';
import './style/shell.css';
import './style/control.css';
import './style/panel.css';
import './style/table.css';
import {render} from 'preact';
import {App} from './app/app.tsx';

const root = document.getElementById('console');
if (root !== null) {
	render(<App />, root);
}
