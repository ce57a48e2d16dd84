import { render } from 'preact';
import './styles/base.css';
import './styles/parts.css';
import './styles/table.css';
import './styles/tasks.css';
import './styles/batches.css';
import './styles/charts.css';
import { App } from './app.js';
import { startTheme } from './theme.js';

startTheme();
render(<App />, document.getElementById('app')!);
