export function App() {
  return <main>Flotilla</main>;
}
