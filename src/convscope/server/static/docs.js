// The page that shows the server's addresses and sends it an image.

const element = id => document.getElementById(id)

function headers() {
  const token = element('token').value
  return token ? { Authorization: `Bearer ${token}` } : {}
}

async function send(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() })
  if (!response.ok) throw new Error((await response.json()).error)
  return response
}

async function listModels() {
  const { models } = await (await send('/models')).json()
  element('model').replaceChildren(...models.map(name => new Option(name, name)))
}

async function listAddresses() {
  const { paths } = await (await send('/openapi.json')).json()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const row = element('addresses').insertRow()
      for (const text of [method.toUpperCase(), path, described.summary]) row.insertCell().textContent = text
    }
  }
}

async function predict(event) {
  event.preventDefault()
  const [file] = element('image').files
  element('error').textContent = ''
  try {
    if (!element('model').value) await listModels()
    const query = new URLSearchParams({ model: element('model').value, name: file.name })
    const start = performance.now()
    const content = await (await send(`/predict?${query}`, { method: 'POST', body: file })).json()
    element('seconds').textContent = `${(performance.now() - start).toFixed(0)} ms`
    element('answer').textContent = JSON.stringify(content.predictions[0], null, 1)
    element('shown').src = URL.createObjectURL(file)
    element('shown').hidden = element('answer').hidden = false
  } catch (error) {
    element('error').textContent = error.message
  }
}

element('try').addEventListener('submit', predict)
element('token').addEventListener('change', () => listModels().catch(error => { element('error').textContent = error.message }))
listAddresses()
listModels().catch(error => { element('error').textContent = error.message })
